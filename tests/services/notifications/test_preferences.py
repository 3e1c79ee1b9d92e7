"""Preferences over HTTP, and what they change: mails, and what the insurer is told."""

import pytest

from shared.events.notifications import PreferencesChanged
from tests.processes import Service, until
from tests.services.notifications.asking import Asking
from tests.services.notifications.conftest import World
from tests.services.notifications.test_member_mails import known, paid, read, subjects

pytestmark = pytest.mark.servers


async def test_who_changes_their_mind_gets_statements_in_the_language_they_chose(
    world: World, service: Service, asking: Asking, number: str
) -> None:
    to = f"mind.{number}@example.org"
    await known(world, number, to, statements=False)
    consents = {"statements": False, "management_information": False}
    assert asking.get(number, "/preferences").body == {"language": "fr", "consents": consents}
    changed = asking.patch(number, "/preferences", {"language": "en", "consents": {"statements": True}})
    consents["statements"] = True
    assert (changed.status, changed.body) == (200, {"language": "en", "consents": consents})
    assert asking.patch(number, "/preferences", {"language": "en"}).body == changed.body
    await world.publish(paid(number))
    until("the statement", lambda: "A new statement is ready" in subjects(world, to))
    assert asking.patch(number, "/preferences", {"consents": {"statements": False}}).status == 200
    await world.publish(paid(number, "P-2"))
    await read(world, "reimbursements.v1", number)
    assert subjects(world, to).count("A new statement is ready") == 1
    told = [event.data for event in await world.published(number) if isinstance(event.data, PreferencesChanged)]
    assert [(data.language, data.consents.statements) for data in told] == [("en", True), ("en", False)]


def test_a_language_that_is_not_served_is_refused(asking: Asking, number: str) -> None:
    refused = asking.patch(number, "/preferences", {"language": "de"})
    assert [error["field"] for error in refused.body["errors"]] == ["language"]
    assert asking.get(number, "/preferences").body["language"] == "fr"

"""Preferences, from the first sign-in on, and what they change: statements by mail, what the insurer is told."""

import pytest

from shared.events.notifications import PreferencesChanged
from tests.processes import Service, until
from tests.services.notifications.asking import Asking
from tests.services.notifications.conftest import World
from tests.services.notifications.test_mails_on_servers import changed
from tests.services.notifications.test_member_mails import CONFIRMATION, jobs, known, paid, read, subjects

pytestmark = pytest.mark.servers


async def test_who_changes_their_mind_gets_statements_in_the_language_they_chose(
    world: World, service: Service, asking: Asking, number: str
) -> None:
    to = f"mind.{number}@example.org"
    await known(world, number, to, statements=False)
    consents = {"statements": False, "management_information": False}
    assert asking.get(number, "/preferences").body == {"language": "fr", "consents": consents}
    answer = asking.patch(number, "/preferences", {"language": "en", "consents": {"statements": True}})
    consents["statements"] = True
    assert (answer.status, answer.body) == (200, {"language": "en", "consents": consents})
    assert asking.patch(number, "/preferences", {"language": "en"}).body == answer.body
    await world.publish(paid(number))
    until("the statement", lambda: "A new statement is ready" in subjects(world, to))
    assert asking.patch(number, "/preferences", {"consents": {"statements": False}}).status == 200
    await world.publish(paid(number, "P-2"))
    await read(world, "reimbursements.v1", number)
    assert subjects(world, to).count("A new statement is ready") == 1
    told = [event.data for event in await world.published(number) if isinstance(event.data, PreferencesChanged)]
    assert [(data.language, data.consents.statements) for data in told] == [("en", True), ("en", False)]


async def test_a_statement_is_mailed_once_to_who_asked_with_a_link_only(
    world: World, service: Service, number: str
) -> None:
    to = f"statement.{number}@example.org"
    await known(world, number, to)
    event = paid(number)
    await world.publish(event, event)
    until("the mail", lambda: len(world.mails(to)) == 2)
    [mail] = [mail for mail in world.mails(to) if mail["Subject"] == "Un nouveau décompte vous attend"]
    assert f"{service.environment['PORTAL_URL']}/decomptes" in mail["Text"].splitlines()
    assert "P-2026-0977" not in mail["Text"] + mail["HTML"]
    await read(world, "reimbursements.v1", number)
    until("the job is done", lambda: not jobs(world, number))
    assert len(world.mails(to)) == 2


async def test_who_did_not_ask_for_statements_gets_none(world: World, service: Service, number: str) -> None:
    to = f"quiet.{number}@example.org"
    await known(world, number, to, statements=False)
    await world.publish(paid(number))
    await read(world, "reimbursements.v1", number)
    assert jobs(world, number) == 0
    assert subjects(world, to) == [CONFIRMATION]


@pytest.mark.parametrize("statements", [True, False])
async def test_a_statement_that_comes_before_the_member_is_known_waits_for_the_choice(
    world: World, service: Service, number: str, *, statements: bool
) -> None:
    to = f"race.{number}@example.org"
    chosen = changed(world, number, to, statements=statements)
    await world.publish(paid(number))
    until("it waits", lambda: jobs(world, number))
    await world.publish(chosen)  # made before, heard of after
    expected = [CONFIRMATION, "Un nouveau décompte vous attend"] if statements else [CONFIRMATION]
    until("the mails", lambda: subjects(world, to) == expected, 10.0)
    until("no job is left", lambda: not jobs(world, number))
    assert subjects(world, to) == expected


async def test_a_statement_from_before_the_choice_is_not_mailed_when_it_is_made(
    world: World, service: Service, number: str
) -> None:
    to = f"later.{number}@example.org"
    await world.publish(paid(number))
    until("it waits", lambda: jobs(world, number))
    await world.publish(changed(world, number, to))
    until("no job is left", lambda: not jobs(world, number))
    assert subjects(world, to) == [CONFIRMATION]


def test_a_language_that_is_not_served_is_refused(asking: Asking, number: str) -> None:
    refused = asking.patch(number, "/preferences", {"language": "de"})
    assert [error["field"] for error in refused.body["errors"]] == ["language"]
    assert asking.get(number, "/preferences").body["language"] == "fr"

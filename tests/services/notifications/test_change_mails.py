"""A changed address: the notice to the old one, the confirmation to the new one, however the events come."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.events.auth import IdentifierChanged
from shared.events.base import Event
from shared.ids import new_id
from tests.processes import Service, until
from tests.services.notifications.conftest import World
from tests.services.notifications.test_member_mails import CONFIRMATION, jobs, known, read, subjects

pytestmark = pytest.mark.servers

TOKEN = "und-O_0123456789"
NOTICE = "L’adresse mail de votre Espace Assuré a changé"
UNDONE = "Le changement d’adresse mail a été annulé"


def moved(
    world: World, number: str, old: str, new: str, *, token: str | None = TOKEN, told_until: bool = True
) -> Event[IdentifierChanged]:
    """Without `token` it was moved back, to `new`."""
    event_id = new_id()

    def sealed(text: str, field: str) -> str:
        return world.keyring.seal(text, event_id=event_id, field=field)

    data = IdentifierChanged(
        member_number=number,
        kind="email",
        email=sealed(new, "email"),
        email_activated=True,
        previous_email=sealed(old, "previous_email"),
        undo_token=sealed(token, "undo_token") if token else None,
        undo_expires_at=datetime.now(UTC) + timedelta(days=7) if token and told_until else None,
    )
    return Event.of(data, id=event_id)


async def test_the_old_address_gets_the_notice_with_the_link_and_the_new_one_the_confirmation(
    world: World, service: Service, number: str
) -> None:
    old, new = f"old.{number}@example.org", f"marie.{number}@example.com"
    await known(world, number, old)
    event = moved(world, number, old, new)
    await world.publish(event, event)
    both = [CONFIRMATION, NOTICE], [CONFIRMATION]
    until("both mails", lambda: (subjects(world, old), subjects(world, new)) == both)
    [notice] = [mail for mail in world.mails(old) if mail["Subject"] == NOTICE]
    assert f"{service.environment['PORTAL_URL']}/annuler-changement?token={TOKEN}" in notice["Text"].splitlines()
    assert "Bonjour Laure Dupont," in notice["Text"]
    assert "m***@example.com" in notice["Text"]
    assert new not in notice["Text"] + notice["HTML"]
    [confirmation] = world.mails(new)
    assert TOKEN not in confirmation["Text"] + confirmation["HTML"]
    until("no job is left", lambda: not jobs(world, number))
    await read(world, "auth.v1", number)
    assert (len(world.mails(old)), len(world.mails(new))) == (2, 1)


async def test_of_several_changes_each_address_gets_its_own_mails_in_whatever_order_they_come(
    world: World, service: Service, number: str
) -> None:
    first, second, third = (f"{name}.{number}@example.org" for name in ("first", "second", "third"))
    await known(world, number, first)
    one = moved(world, number, first, second, token="tok-1")
    two = moved(world, number, second, third, token="tok-2")
    back = moved(world, number, third, first, token=None)
    await world.publish(back, two, one, two, back, one)
    expected = {first: [CONFIRMATION, NOTICE], second: [CONFIRMATION, NOTICE], third: sorted([CONFIRMATION, UNDONE])}
    until("every mail", lambda: {to: subjects(world, to) for to in expected} == expected)
    await read(world, "auth.v1", number)
    until("no job is left", lambda: not jobs(world, number))
    assert {to: subjects(world, to) for to in expected} == expected
    for to, token in ((first, "tok-1"), (second, "tok-2")):
        [notice] = [mail for mail in world.mails(to) if mail["Subject"] == NOTICE]
        assert f"?token={token}\r\n" in notice["Text"]


async def test_an_address_that_we_never_knew_as_activated_is_not_called_by_name(
    world: World, service: Service, number: str
) -> None:
    old, new = f"unknown.{number}@example.org", f"new.{number}@example.org"
    await world.publish(world.enrolled(number), moved(world, number, old, new, told_until=False))
    until("the mails", lambda: subjects(world, old) == [NOTICE] and subjects(world, new) == [CONFIRMATION])
    [notice] = world.mails(old)
    assert "Bonjour,\r\n" in notice["Text"]
    assert "Dupont" not in notice["Text"] + notice["HTML"]


async def test_whoever_signs_in_with_the_member_number_from_now_on_is_told_at_the_address_that_stays(
    world: World, service: Service, number: str
) -> None:
    to = f"stays.{number}@example.org"
    await known(world, number, to)
    event_id = new_id()
    data = IdentifierChanged(
        member_number=number,
        kind="member_number",
        email=world.keyring.seal(to, event_id=event_id, field="email"),
        email_activated=True,
    )
    await world.publish(Event.of(data, id=event_id))
    until("another confirmation", lambda: subjects(world, to) == [CONFIRMATION, CONFIRMATION])

"""Mails from event to mailbox, and members from event to database, on real servers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.events.auth import Consents, IdentifierChanged, IdentifierChangeRequested, SignedInFromNewDevice
from shared.events.base import Event
from shared.ids import new_id
from tests.processes import Service, until
from tests.services.notifications.conftest import World
from tests.stack import RealServers

pytestmark = pytest.mark.servers

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TOKEN = "tok-EN_0123456789"


def requested(world: World, number: str, email: str, token: str | None = TOKEN) -> Event[IdentifierChangeRequested]:
    event_id = new_id()
    data = IdentifierChangeRequested(
        member_number=number,
        request_id=new_id(),
        kind="email",
        email=world.keyring.seal(email, event_id=event_id, field="email"),
        activation_token=token and world.keyring.seal(token, event_id=event_id, field="activation_token"),
        expires_at=datetime.now(UTC) + timedelta(hours=24),
    )
    return Event.of(data, id=event_id)


def changed(
    world: World, number: str, email: str, *, activated: bool = True, statements: bool = True
) -> Event[IdentifierChanged]:
    event_id = new_id()
    data = IdentifierChanged(
        member_number=number,
        kind="email" if activated else "member_number",
        email=world.keyring.seal(email, event_id=event_id, field="email"),
        email_activated=activated,
        consents=Consents(statements=statements, management_information=False),
    )
    return Event.of(data, id=event_id)


async def test_an_activation_mail_arrives_once_with_its_link(world: World, service: Service, number: str) -> None:
    to = f"laure.{number}@example.org"
    event = replace(requested(world, number, to), traceparent=TRACE)
    await world.publish(world.enrolled(number), event, event)
    [mail] = until("a mail", lambda: world.mails(to))
    link = f"{service.environment['PORTAL_URL']}/activation?token={TOKEN}"
    assert link in mail["Text"].splitlines()
    assert mail["HTML"].count(f'href="{link}"') == 2
    assert mail["Subject"] == "Validez votre nouvel identifiant"
    assert mail["Headers"]["Traceparent"] == [TRACE]
    assert mail["Headers"]["X-Request-Id"] == [TRACE[3:35]]
    assert mail["Headers"]["Auto-Submitted"] == ["auto-generated"]
    until("the job is done", lambda: not world.db["jobs"].count_documents({"member_number": number}))
    assert len(world.mails(to)) == 1


async def test_an_address_in_use_gets_a_mail_without_a_link(world: World, service: Service, number: str) -> None:
    to = f"taken.{number}@example.org"
    await world.publish(requested(world, number, to, token=None))
    [mail] = until("a mail", lambda: world.mails(to))
    assert mail["Subject"] == "Cette adresse mail est déjà un identifiant"
    assert "token" not in mail["Text"] + mail["HTML"]


async def test_a_member_who_reads_english_gets_english_mails(world: World, service: Service, number: str) -> None:
    to = f"english.{number}@example.org"
    await world.publish(world.enrolled(number, language="en"))
    until("the member is known", lambda: world.db["members"].count_documents({"_id": number}))
    await world.publish(requested(world, number, to))
    [mail] = until("a mail", lambda: world.mails(to))
    assert mail["Subject"] == "Confirm your new sign-in name"


async def test_an_activated_address_is_confirmed_and_the_consents_are_kept_sealed(
    world: World, service: Service, number: str
) -> None:
    to = f"done.{number}@example.org"
    await world.publish(world.enrolled(number))
    until("the member is known", lambda: world.db["members"].count_documents({"_id": number}))
    await world.publish(changed(world, number, to))
    [mail] = until("a mail", lambda: world.mails(to))
    assert mail["Subject"] == "Confirmation de votre changement de login"
    assert "Bonjour Laure Dupont," in mail["Text"]
    sealed = world.db["members"].find_one({"_id": number})["sealed"]
    kept = world.at_rest.open_at_rest(sealed, context=f"members/{number}").decode()
    assert '"statements":true,"management_information":false' in kept
    assert to in kept
    assert "2840575117001" not in kept


async def test_while_the_mail_server_is_away_mails_wait(
    world: World, service: Service, number: str, back_on: RealServers
) -> None:
    to = f"later.{number}@example.org"
    back_on.process("mailpit").kill()
    await world.publish(requested(world, number, to))
    until("it has tried", lambda: world.db["jobs"].count_documents({"member_number": number, "attempts": {"$gte": 1}}))
    assert service.ready() == (200, service.ready()[1] | {"smtp": "unreachable"})
    back_on.process("mailpit").start()
    [mail] = until("the mail", lambda: world.mails(to))
    assert TOKEN in mail["Text"]
    assert service.ready()[1]["smtp"] == "ok"


async def test_what_cannot_be_opened_is_a_dead_letter_and_the_next_mail_goes_out(
    world: World, service: Service, number: str
) -> None:
    to = f"next.{number}@example.org"
    moved: Event[Any] = Event.of(requested(world, number, to).data)  # another id: sealed for another place
    await world.publish(moved, requested(world, number, to))
    until("the mail", lambda: world.mails(to))
    letters = list(world.db["dead_letters"].find({"topic": "auth.v1"}))
    assert [letter["reason"] for letter in letters] == ["sealed_field_unreadable:email"]


async def test_events_of_later_mails_are_passed_over(world: World, service: Service, number: str) -> None:
    event_id = new_id()
    new_device = SignedInFromNewDevice(
        member_number=number,
        at=datetime.now(UTC),
        device="Firefox",
        close_token=world.keyring.seal(TOKEN, event_id=event_id, field="close_token"),
    )
    await world.publish(Event.of(new_device, id=event_id))
    until("it is in the inbox", lambda: world.db["inbox"].count_documents({"_id": {"$regex": event_id}}))
    assert world.db["jobs"].count_documents({"member_number": number}) == 0
    assert world.db["dead_letters"].count_documents({"reason": "type_not_handled"}) == 0


async def test_stopped_it_ends_well(world: World, service: Service) -> None:
    assert service.get("/livez")[0] == 200
    assert "espace_mails_total" in service.get("/metrics")[1]
    assert service.stop() == 0

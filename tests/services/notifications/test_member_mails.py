"""Mails to the address that notifications knows of the member: reset links, confirmations, what befell the account."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.events.auth import (
    AccountLocked,
    PasskeyAdded,
    PasswordChanged,
    PasswordReset,
    PasswordResetRequested,
    SecondFactorChanged,
    SignedInFromNewDevice,
)
from shared.events.base import Event
from shared.events.claims import CardRenewed, StatementReady
from shared.ids import new_id
from tests.processes import Service, until
from tests.services.notifications.conftest import World
from tests.services.notifications.test_mails_on_servers import changed

pytestmark = pytest.mark.servers

TOKEN = "res-ET_0123456789"
CONFIRMATION = "Confirmation de votre changement de login"


def lost(
    world: World, number: str, *, lasts: timedelta = timedelta(minutes=60), token: str = TOKEN
) -> Event[PasswordResetRequested]:
    event_id = new_id()
    data = PasswordResetRequested(
        member_number=number,
        reset_token=world.keyring.seal(token, event_id=event_id, field="reset_token"),
        expires_at=datetime.now(UTC) + lasts,
    )
    return Event.of(data, id=event_id)


def new_device(world: World, number: str) -> Event[SignedInFromNewDevice]:
    event_id, now = new_id(), datetime.now(UTC)
    data = SignedInFromNewDevice(
        member_number=number,
        at=now,
        device="Chrome sur Windows",
        close_token=world.keyring.seal(TOKEN, event_id=event_id, field="close_token"),
        expires_at=now + timedelta(days=7),
    )
    return Event.of(data, id=event_id)


def locked(world: World, number: str, *, says_link_end: bool = True) -> Event[AccountLocked]:
    event_id, now = new_id(), datetime.now(UTC)
    data = AccountLocked(
        member_number=number,
        until=now + timedelta(minutes=15),
        unlock_token=world.keyring.seal(TOKEN, event_id=event_id, field="unlock_token"),
        expires_at=now + timedelta(hours=24) if says_link_end else None,
    )
    return Event.of(data, id=event_id)


def paid(number: str, payment_id: str = "P-2026-0977") -> Event[StatementReady]:
    today = datetime.now(UTC).date()
    data = StatementReady(member_number=number, payment_id=payment_id, paid_on=today, claim_count=2)
    return Event.of(data)


async def known(world: World, number: str, to: str, *, activated: bool = True, statements: bool = True) -> None:
    """The member has signed in for the first time, and every mail of that time has left."""
    await world.publish(world.enrolled(number, email=to))
    until("the member is known", lambda: world.db["members"].count_documents({"_id": number}))
    await world.publish(changed(world, number, to, activated=activated, statements=statements))
    if activated:
        until("the confirmation", lambda: subjects(world, to) == [CONFIRMATION])
    else:
        await read(world, "auth.v1", number)


async def read(world: World, topic: str, number: str) -> None:
    """Everything published on `topic` so far was read: shown by one more event that causes nothing."""
    last: Event[CardRenewed] | Event[PasswordResetRequested]
    if topic == "reimbursements.v1":
        last = Event.of(CardRenewed(member_number=number, valid_from=date(2027, 1, 1)))
    else:
        last = lost(world, number, lasts=timedelta(seconds=-1))
    await world.publish(last)
    until("the last is read", lambda: world.db["inbox"].count_documents({"_id": {"$regex": last.id}}))


def subjects(world: World, to: str) -> list[str]:
    return sorted(mail["Subject"] for mail in world.mails(to))


def jobs(world: World, number: str) -> int:
    return int(world.db["jobs"].count_documents({"member_number": number}))


async def test_a_reset_link_arrives_once_at_the_activated_address(world: World, service: Service, number: str) -> None:
    to = f"lost.{number}@example.org"
    await known(world, number, to)
    event = lost(world, number)
    await world.publish(event, event)
    until("the mail", lambda: len(world.mails(to)) == 2)
    [mail] = [mail for mail in world.mails(to) if mail["Subject"] == "Choisissez un nouveau mot de passe"]
    link = f"{service.environment['PORTAL_URL']}/nouveau-mot-de-passe?token={TOKEN}"
    assert link in mail["Text"].splitlines()
    assert mail["HTML"].count(f'href="{link}"') == 2
    assert "Bonjour Laure Dupont," in mail["Text"]
    until("the job is done", lambda: not jobs(world, number))
    assert len(world.mails(to)) == 2


async def test_a_reset_link_waits_for_the_address_and_is_sealed_meanwhile(
    world: World, service: Service, number: str
) -> None:
    to = f"early.{number}@example.org"
    await world.publish(world.enrolled(number, email=to), lost(world, number))
    until("it waits", lambda: jobs(world, number))
    assert TOKEN not in str(list(world.db["jobs"].find({"member_number": number})))
    await world.publish(changed(world, number, to))
    until("both mails", lambda: subjects(world, to) == ["Choisissez un nouveau mot de passe", CONFIRMATION], 10.0)


async def test_a_reset_link_never_goes_to_an_address_that_was_not_activated(
    world: World, service: Service, number: str
) -> None:
    to = f"unproven.{number}@example.org"
    await known(world, number, to, activated=False)
    await world.publish(lost(world, number, lasts=timedelta(seconds=3)))
    until("it waits", lambda: jobs(world, number))
    world.db["jobs"].update_many({"member_number": number}, {"$set": {"due_at": datetime.now(UTC)}})
    await world.publish(paid(number))  # what has no power does go there
    until("the statement", lambda: subjects(world, to) == ["Un nouveau décompte vous attend"])
    world.db["jobs"].update_many(
        {"member_number": number}, {"$set": {"due_at": datetime.now(UTC) + timedelta(seconds=3)}}
    )
    until("the link expired", lambda: not jobs(world, number))
    assert subjects(world, to) == ["Un nouveau décompte vous attend"]


@pytest.mark.parametrize("says_link_end", [True, False])
async def test_a_block_is_told_of_at_once_at_the_activated_address(
    world: World, service: Service, number: str, *, says_link_end: bool
) -> None:
    to = f"locked.{number}@example.org"
    await known(world, number, to)
    event = locked(world, number, says_link_end=says_link_end)
    await world.publish(event, event)
    until("the mail", lambda: len(world.mails(to)) == 2)
    [mail] = [mail for mail in world.mails(to) if mail["Subject"] == "Votre accès est bloqué pour un moment"]
    link = f"{service.environment['PORTAL_URL']}/deblocage?token={TOKEN}"
    assert link in mail["Text"].splitlines()
    assert mail["HTML"].count(f'href="{link}"') == 2
    until("the job is done", lambda: not jobs(world, number))
    assert len(world.mails(to)) == 2


async def test_a_block_is_told_to_no_address_that_was_not_activated_by_then(
    world: World, service: Service, number: str
) -> None:
    to = f"unproven.{number}@example.org"
    await world.publish(locked(world, number))  # of whom nothing is known
    await known(world, number, to, activated=False)
    await world.publish(locked(world, number))
    await read(world, "auth.v1", number)
    until("none is ordered", lambda: not jobs(world, number))
    await world.publish(changed(world, number, to))  # later is too late: the block is over
    until("the confirmation", lambda: subjects(world, to) == [CONFIRMATION])
    assert not jobs(world, number)


async def test_a_reset_is_confirmed_without_a_link(world: World, service: Service, number: str) -> None:
    to = f"done.{number}@example.org"
    await known(world, number, to)
    await world.publish(Event.of(PasswordReset(member_number=number, at=datetime.now(UTC))))
    until("the mail", lambda: "Votre mot de passe a été modifié" in subjects(world, to))
    [mail] = [mail for mail in world.mails(to) if mail["Subject"] == "Votre mot de passe a été modifié"]
    assert [part for part in mail["HTML"].split('href="')[1:] if not part.startswith("tel:")] == []
    assert "token" not in mail["Text"] + mail["HTML"]


async def test_a_changed_password_is_told_of_once_and_the_first_choice_is_not(
    world: World, service: Service, number: str
) -> None:
    to = f"changed.{number}@example.org"
    await known(world, number, to)
    at = datetime.now(UTC)
    first = Event.of(PasswordChanged(member_number=number, at=at, replaces="temporary"))
    event = Event.of(PasswordChanged(member_number=number, at=at, replaces="own"))
    await world.publish(first, event, event)
    until("the mail", lambda: len(world.mails(to)) == 2)
    [mail] = [mail for mail in world.mails(to) if mail["Subject"] == "Votre mot de passe a été modifié"]
    assert mail["Headers"]["X-Request-Id"] == [event.id]
    assert f"{service.environment['PORTAL_URL']}/mot-de-passe-perdu" in mail["Text"].splitlines()
    await read(world, "auth.v1", number)
    until("the job is done", lambda: not jobs(world, number))
    assert len(world.mails(to)) == 2


async def test_a_new_device_is_told_of_once_at_the_activated_address(
    world: World, service: Service, number: str
) -> None:
    to = f"device.{number}@example.org"
    await known(world, number, to)
    event = new_device(world, number)
    await world.publish(event, event)
    until("the mail", lambda: len(world.mails(to)) == 2)
    [mail] = [mail for mail in world.mails(to) if mail["Subject"] == "Nouvelle connexion à votre Espace Assuré"]
    assert f"{service.environment['PORTAL_URL']}/fermer-session?token={TOKEN}" in mail["Text"].splitlines()
    assert "Chrome sur Windows" in " ".join(mail["Text"].split())
    until("the job is done", lambda: not jobs(world, number))
    assert len(world.mails(to)) == 2


async def test_what_befell_a_second_factor_is_told_at_the_activated_address_without_a_link(
    world: World, number: str
) -> None:
    to = f"factor.{number}@example.org"
    await known(world, number, to)
    told = SecondFactorChanged(member_number=number, at=datetime.now(UTC), change="recovery_code_used")
    await world.publish(Event.of(told))
    until("the mail", lambda: "Un code de secours a été utilisé" in subjects(world, to))
    [mail] = [mail for mail in world.mails(to) if mail["Subject"] == "Un code de secours a été utilisé"]
    assert [part for part in mail["HTML"].split('href="')[1:] if not part.startswith("tel:")] == []


async def test_a_new_device_is_told_to_nobody_without_an_activated_address_and_leaves_no_job(
    world: World, service: Service, number: str
) -> None:
    to = f"unproven.{number}@example.org"
    await known(world, number, to, activated=False)
    await world.publish(new_device(world, number))
    await read(world, "auth.v1", number)
    assert not world.db["jobs"].count_documents({"member_number": number, "data.mail": "new_device"})
    assert subjects(world, to) == []


async def test_a_passkey_is_told_of_wherever_the_member_can_be_reached(
    world: World, service: Service, number: str
) -> None:
    to = f"passkey.{number}@example.org"
    await known(world, number, to, activated=False)
    event = Event.of(PasskeyAdded(member_number=number, at=datetime.now(UTC)))
    await world.publish(event, event)
    until("the mail", lambda: subjects(world, to) == ["Une clé d’accès a été ajoutée à votre compte"])
    [mail] = world.mails(to)
    assert f"{service.environment['PORTAL_URL']}/compte/cles-d-acces" in mail["Text"].splitlines()
    assert "Laure" not in mail["Text"] + mail["HTML"]
    until("the job is done", lambda: not jobs(world, number))


async def test_after_kill_9_no_mail_is_lost(world: World, service: Service, number: str) -> None:
    to = f"killed.{number}@example.org"
    await known(world, number, to)
    burst = [paid(number, f"P-{count}") for count in range(40)]
    await world.publish(*burst[:20])
    until("some are sent", lambda: len(world.mails(to)) > 1)
    service.kill()
    assert len(world.mails(to)) < len(burst[:20]), "killed in the middle"
    await world.publish(*burst[20:])
    # As if a minute had passed: the leases of the killed one have run out.
    world.db["jobs"].update_many({"lease": {"$ne": None}}, {"$set": {"due_at": datetime.now(UTC)}})
    service.start()
    until(
        "every statement",
        lambda: {mail["Headers"]["X-Request-Id"][0] for mail in world.mails(to)} >= {e.id for e in burst},
    )
    assert len({mail["Headers"]["Message-Id"][0] for mail in world.mails(to)}) == len(burst) + 1

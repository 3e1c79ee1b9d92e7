"""Mails, from the event that asks for one until the mail server took it, or never will.

A process killed between the server's « 250 » and the deletion of the job sends the mail again, with the same
Message-ID: mail servers and programs recognise it.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from services.notifications import rules
from services.notifications.mailer import Mailer, MailRefused
from services.notifications.mails import RULES, BadAddress, Mail, MailKind, MailRoom, MailRule
from services.notifications.models import Member
from services.notifications.rules import NoAddress
from services.notifications.store import Store
from shared.clock import now
from shared.events.base import Event, EventData
from shared.events.notifications import MailUndeliverable
from shared.formats import masked_email
from shared.jobs import Abandon, Job, JobHandler, Jobs
from shared.logs import get_logger
from shared.mongo import Mongo, Transaction
from shared.sealing import Keyring

SEND = "mail"
"""A mail to the address its event names."""
SEND_TO_MEMBER = "mail_to_member"
"""A mail to the address we know of the member: it may wait for that, and is woken when it comes."""

ADDRESS_RECHECK_S = 600.0
"""What becomes known of an address wakes its mails; this is only the net under that."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mails:
    """Everything that happens to mails. Addresses and tokens stay sealed until the mail is written."""

    mongo: Mongo
    store: Store
    jobs: Jobs
    room: MailRoom
    mailer: Mailer
    keyring: Keyring
    portal_url: str
    retry_hours: int

    def handlers(self) -> Mapping[str, JobHandler]:
        """What a worker does with the jobs of mails."""
        return {SEND: self.send, SEND_TO_MEMBER: self.send}

    async def order(self, kind: MailKind, event: Event[EventData], tx: Transaction) -> None:
        """Have the mail written that `event` asks for, unless it is certain already that nobody is to get it."""
        rule, number = RULES[kind], event.data.member_number
        member = (await self.store.members(tx, [number])).get(number, rules.UNKNOWN)
        asked_by = None
        if rule.to is not None:
            to = rule.to(member, event.time)
            if to is NoAddress.UNWANTED:
                return
            if to is NoAddress.UNKNOWN:
                asked_by = event.time
        sealed_to = None if rule.to else _field(event, rule.email_field)
        until = _field(event, rule.until) if rule.until else None
        link_ends = (_field(event, rule.expiry) or until) if rule.secret else None
        expires_at = link_ends or event.time + timedelta(hours=self.retry_hours)
        await self.jobs.put(
            tx,
            id=f"{SEND}/{kind}/{rules.stable_id(event.source, event.id)}",
            kind=SEND if rule.to is None else SEND_TO_MEMBER,
            member_number=number,
            data={
                "mail": kind,
                "event_id": event.id,
                "email": sealed_to,
                "named": sealed_to is not None and self._is_activated(event, rule.email_field, member),
                "masked": _field(event, rule.masked) if rule.masked else None,
                "token": _field(event, rule.secret) if rule.secret else None,
                "repeated": _field(event, rule.repeats) if rule.repeats else "",
                "happened_at": event.time,
                "until": until,
                "asked_by": asked_by,
                "expires_at": expires_at,
            },
            expires_at=expires_at,
        )

    async def wake(self, member_numbers: Collection[str], tx: Transaction) -> None:
        """Something new is known of where these members get mail: write what waited for that."""
        if member_numbers:
            await self.jobs.wake(tx, kind=SEND_TO_MEMBER, member_numbers=member_numbers)

    async def erase(self, member_number: str, tx: Transaction) -> None:
        """The member is erased: nothing more is mailed."""
        await self.jobs.drop(tx, {"member_number": member_number, "kind": {"$in": [SEND, SEND_TO_MEMBER]}})

    async def send(self, job: Job) -> None:
        """Write the mail of `job` and hand it to the mail server. Raises MailUnsent: try later."""
        mail = await self._written(job)
        try:
            message = await asyncio.to_thread(self.room.write, mail, now=now())  # some 15 ms of quoting
            await self.mailer.send(message)
        except (MailRefused, BadAddress) as refusal:
            log.warning("mail_undeliverable", job=job.id, mail=mail.kind, code=getattr(refusal, "code", 0))
            await self._finish(job, undeliverable=mail.kind)
        else:
            await self._finish(job)

    async def _written(self, job: Job) -> Mail:
        data, kind = job.data, cast("MailKind", job.data["mail"])
        rule, member = RULES[kind], await self.store.member(job.member_number)
        to = self._open(job, rule.email_field, data["email"]) if rule.to is None else rule.to(member, data["asked_by"])
        if to is NoAddress.UNKNOWN:
            raise job.as_long_again(at_most_s=ADDRESS_RECHECK_S)
        if to is NoAddress.UNWANTED:
            raise Abandon("unwanted_meanwhile")
        return Mail(
            kind=kind,
            event_id=data["event_id"],
            to=to,
            language=rules.language(member),
            link=self._link(job, rule),
            link_expires_at=data["expires_at"] if rule.secret else None,
            # An address that nobody activated may be a stranger's: no name there.
            name=rules.full_name(member) if data.get("named") or to == rules.activated_address(member) else "",
            happened_at=data["happened_at"],
            repeated=data.get("repeated", ""),  # jobs of the release before have none
            until=data.get("until"),  # jobs of an earlier release have none
            masked=masked_email(self._open(job, rule.masked, data["masked"])) if rule.masked else "",
        )

    def _is_activated(self, event: Event[EventData], field: str, member: Member) -> bool:
        """Whether the address in that sealed field is the one that the member has activated until now."""
        named = self.keyring.open(_field(event, field), event_id=event.id, field=field)
        return named == rules.activated_address(member)

    def _link(self, job: Job, rule: MailRule) -> str | None:
        if rule.page is None:
            return None
        if rule.secret is None:
            return f"{self.portal_url}{rule.page}"
        token = self._open(job, rule.secret, job.data["token"])
        return f"{self.portal_url}{rule.page}?{urlencode({'token': token})}"

    def _open(self, job: Job, field: str, sealed: str) -> str:
        return self.keyring.open(sealed, event_id=job.data["event_id"], field=field)

    async def _finish(self, job: Job, *, undeliverable: MailKind | None = None) -> None:
        async def finish(tx: Transaction) -> None:
            if await self.jobs.done(tx, job) and undeliverable is not None:
                tx.publish(Event.of(MailUndeliverable(member_number=job.member_number, kind=undeliverable, at=now())))

        await self.mongo.transaction(finish)


def _field(event: Event[EventData], name: str) -> Any:
    """What a mail's rule takes from its event; a rule for an event without that field is a bug and fails aloud."""
    return getattr(event.data, name)

"""Mails, from the event that asks for one until the mail server took it, or never will.

A process killed between the server's « 250 » and the deletion of the job sends the mail again, with the same
Message-ID: mail servers and programs recognise it.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from services.notifications import rules
from services.notifications.mailer import Mailer, MailRefused
from services.notifications.mails import BadAddress, Mail, MailKind, MailRoom
from services.notifications.store import Store
from shared.clock import now
from shared.events.auth import IdentifierChanged, IdentifierChangeRequested
from shared.events.base import Event
from shared.events.notifications import MailUndeliverable
from shared.jobs import Job, Jobs
from shared.logs import get_logger
from shared.mongo import Mongo, Transaction
from shared.sealing import Keyring

SEND = "mail"

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

    async def ask_for_activation(self, event: Event[IdentifierChangeRequested], tx: Transaction) -> None:
        """The link that activates an address; without a token, the news that it signs another account in."""
        data = event.data
        kind: MailKind = "address_in_use" if data.activation_token is None else "activation"
        await self._put(event, kind, data.email, data.activation_token, expires_at=data.expires_at, tx=tx)

    async def confirm_identifier(self, event: Event[IdentifierChanged], tx: Transaction) -> None:
        """The second mail of the first sign-in, to the address that was just activated."""
        assert event.data.email is not None  # noqa: S101 - the contract has it wherever an address is activated
        expires_at = event.time + timedelta(hours=self.retry_hours)
        await self._put(event, "identifier_confirmed", event.data.email, None, expires_at=expires_at, tx=tx)

    async def _put(
        self,
        event: Event[IdentifierChangeRequested] | Event[IdentifierChanged],
        kind: MailKind,
        email: str,
        token: str | None,
        *,
        expires_at: datetime,
        tx: Transaction,
    ) -> None:
        await self.jobs.put(
            tx,
            id=f"{SEND}/{rules.stable_id(event.source, event.id)}",
            kind=SEND,
            member_number=event.data.member_number,
            data={"mail": kind, "event_id": event.id, "email": email, "token": token, "expires_at": expires_at},
            expires_at=expires_at,
        )

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
        data = job.data
        kind: MailKind = data["mail"]
        member = await self.store.member(job.member_number)
        link = None
        if kind == "activation":
            link = f"{self.portal_url}/activation?{urlencode({'token': self._open(job, 'activation_token', 'token')})}"
        elif kind == "identifier_confirmed":
            link = f"{self.portal_url}/"
        return Mail(
            kind=kind,
            event_id=data["event_id"],
            to=self._open(job, "email", "email"),
            language=rules.language(member),
            link=link,
            link_expires_at=data["expires_at"] if kind == "activation" else None,
            # An address that nobody activated may be a stranger's: no name there.
            name=rules.full_name(member) if kind == "identifier_confirmed" else "",
        )

    def _open(self, job: Job, field: str, key: str) -> str:
        return self.keyring.open(job.data[key], event_id=job.data["event_id"], field=field)

    async def _finish(self, job: Job, *, undeliverable: MailKind | None = None) -> None:
        async def finish(tx: Transaction) -> None:
            if await self.jobs.done(tx, job) and undeliverable is not None:
                tx.publish(Event.of(MailUndeliverable(member_number=job.member_number, kind=undeliverable, at=now())))

        await self.mongo.transaction(finish)

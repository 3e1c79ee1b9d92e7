"""Letters, from the event that asks for one until its object is deleted.

    asked for ─(address known)→ rendered, put into the bucket, announced ─(posted, expired, not needed)→ deleted

A process killed at any point leaves the job's row, and the next try does the same again under the same object name:
one letter, one LetterReady. Withdrawing marks the letter before its object is deleted, and rendering marks it ready
only if it is not withdrawn, so that whichever comes second removes the object.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.notifications import rules
from services.notifications.letters import LetterPress, TemporaryPassword
from services.notifications.models import Letter, LetterState
from services.notifications.store import Store
from shared.clock import now
from shared.events.auth import TemporaryPasswordIssued
from shared.events.base import Event
from shared.events.notifications import LetterReady
from shared.jobs import Job, JobHandler, Jobs
from shared.logs import get_logger
from shared.mongo import Mongo, Transaction
from shared.objects import ObjectStore
from shared.sealing import Keyring

RENDER = "letter"
DELETE = "letter_deletion"
BUCKET: Final = "letters"
PDF = "application/pdf"

ADDRESS_RECHECK_S = 600.0
"""The arrival of an address wakes its letters; this is only the net under that."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Letters:
    """Everything that happens to letters."""

    mongo: Mongo
    store: Store
    jobs: Jobs
    objects: ObjectStore
    press: LetterPress
    keyring: Keyring
    kept_days: int

    def handlers(self) -> Mapping[str, JobHandler]:
        """What a worker does with the jobs of letters."""
        return {RENDER: self.render, DELETE: self.delete}

    async def order(self, event: Event[TemporaryPasswordIssued], tx: Transaction) -> None:
        """Have the letter with this temporary password made. The password stays sealed until it is printed."""
        data = event.data
        letter = Letter(
            letter_id=rules.stable_id(event.source, event.id),
            member_number=data.member_number,
            kind="welcome" if data.reason == "enrolment" else "temporary_password",
            state=LetterState.WAITING,
            issued_at=event.time,
            delete_at=data.expires_at,
        )
        await self.store.add_letter(tx, letter)
        await self.jobs.put(
            tx,
            id=f"{RENDER}/{letter.letter_id}",
            kind=RENDER,
            member_number=data.member_number,
            data={
                "letter_id": letter.letter_id,
                "event_id": event.id,
                "password": data.password,
                "reason": data.reason,
                "identifier_kind": data.identifier_kind,
                "expires_at": data.expires_at,
            },
        )
        await self._schedule_deletion(letter, data.expires_at, tx)

    async def wake(self, member_numbers: Collection[str], tx: Transaction) -> None:
        """The addresses of these members have arrived: render what waited for them."""
        if member_numbers:
            await self.jobs.wake(tx, kind=RENDER, member_numbers=member_numbers)

    async def withdraw(self, member_number: str, at: datetime, tx: Transaction) -> None:
        """The member set a password at `at`: no letter issued before is needed any more."""
        for letter in await self.store.letters_of(tx, member_number):
            if letter.issued_at <= at:
                await self._delete_at(letter, at, tx)

    async def erase(self, member_number: str, at: datetime, tx: Transaction) -> None:
        """The member is erased: every letter goes, and so does what waits to be rendered."""
        await self.withdraw(member_number, at, tx)
        # A worker that finds its letter withdrawn removes what it may have put: its job must not vanish beneath it.
        await self.wake([member_number], tx)

    async def posted(self, member_number: str, letter_id: str, at: datetime, tx: Transaction) -> None:
        """The printing house posted the letter: delete it some days later, unless it goes sooner anyway."""
        letter = await self.store.letter(letter_id, tx=tx)
        if letter is None or letter.member_number != member_number:
            log.info("posted_letter_unknown", letter=letter_id)
            return
        await self._delete_at(letter, at + timedelta(days=self.kept_days), tx)

    async def _delete_at(self, letter: Letter, at: datetime, tx: Transaction) -> None:
        at = min(at, letter.delete_at)
        await self.store.set_deletion(tx, letter.letter_id, at)
        await self._schedule_deletion(letter, at, tx)

    async def _schedule_deletion(self, letter: Letter, at: datetime, tx: Transaction) -> None:
        await self.jobs.put(
            tx,
            id=f"{DELETE}/{letter.letter_id}",
            kind=DELETE,
            member_number=letter.member_number,
            data={"letter_id": letter.letter_id},
            not_before=at,
        )

    async def render(self, job: Job) -> None:
        """Make the letter of `job`, unless it is withdrawn or its password has expired."""
        letter = await self.store.letter(job.data["letter_id"])
        if letter is None or letter.state is not LetterState.WAITING or letter.delete_at <= now():
            await self._discard(job)
            return
        pdf = await self._pdf(job, letter)
        await self.objects.put(BUCKET, object_name(letter.letter_id), pdf, PDF)

        async def finish(tx: Transaction) -> None:
            if not await self.jobs.done(tx, job):
                return  # taken over: whoever has it now puts the same object, or removes it
            if not await self.store.mark_ready(tx, letter.letter_id):
                raise _Withdrawn
            tx.publish(Event.of(_ready(letter)))

        try:
            await self.mongo.transaction(finish)
        except _Withdrawn:
            await self._discard(job)

    async def _pdf(self, job: Job, letter: Letter) -> bytes:
        member = await self.store.member(job.member_number)
        to = rules.address(member)
        if to is None:
            raise job.as_long_again(at_most_s=ADDRESS_RECHECK_S)
        data = job.data
        content = TemporaryPassword(
            member_number=job.member_number,
            reason=data["reason"],
            identifier_kind=data["identifier_kind"],
            password=self.keyring.open(data["password"], event_id=data["event_id"], field="password"),
            issued_at=letter.issued_at,
            expires_at=data["expires_at"],
        )
        return await asyncio.to_thread(self.press.temporary_password, content, member, to)

    async def _discard(self, job: Job) -> None:
        """Nobody needs this letter any more: no object stays behind, whoever put it, and then no job."""
        await self.objects.delete(BUCKET, object_name(job.data["letter_id"]))

        async def finish(tx: Transaction) -> None:
            await self.jobs.done(tx, job)

        await self.mongo.transaction(finish)

    async def delete(self, job: Job) -> None:
        """Delete the letter's object, then its row. Repeatable at any point."""
        letter_id = job.data["letter_id"]
        await self.store.mark_withdrawn(letter_id)
        await self.objects.delete(BUCKET, object_name(letter_id))

        async def finish(tx: Transaction) -> None:
            if await self.jobs.done(tx, job):
                await self.store.forget_letter(tx, letter_id)

        await self.mongo.transaction(finish)


class _Withdrawn(Exception):
    """The letter was withdrawn while it was rendered."""


def object_name(letter_id: str) -> str:
    """The letter's name in the bucket: the same for each try, so that a repetition replaces instead of doubling."""
    return f"{letter_id}.pdf"


def _ready(letter: Letter) -> LetterReady:
    return LetterReady(
        member_number=letter.member_number,
        letter_id=letter.letter_id,
        kind=letter.kind,
        bucket=BUCKET,
        object=object_name(letter.letter_id),
    )

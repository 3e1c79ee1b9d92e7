"""Makes the temporary passwords that are sent by post; the work of a low-priority worker."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.auth.models import TemporaryPassword
from services.auth.passwords import Passwords, canonical_temporary, generate_temporary
from services.auth.store import Store
from shared import ids
from shared.events.auth import TemporaryPasswordIssued
from shared.events.base import Event
from shared.jobs import Abandon, Job, Jobs
from shared.mongo import Mongo, Transaction
from shared.sealing import Keyring


class TemporaryPasswords:
    """The only place where a temporary password exists in clear is this worker's memory, and the letter."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        jobs: Jobs,
        passwords: Passwords,
        sealing: Keyring,
        lives: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._jobs = mongo, store, jobs
        self._passwords, self._sealing = passwords, sealing
        self._lives, self._clock = lives, clock

    async def issue(self, job: Job) -> None:
        """Make and hash one; then in one transaction store the hash, announce the letter, end the job."""
        printed = generate_temporary()
        canonical = canonical_temporary(printed) or ""
        hashed = await self._passwords.hash_in_background(canonical)
        await self._mongo.transaction(lambda tx: self._store_and_announce(tx, job, printed, hashed))

    async def _store_and_announce(self, tx: Transaction, job: Job, printed: str, hashed: str) -> None:
        if not await self._jobs.done(tx, job):
            return
        account = await self._store.accounts.get(job.member_number, tx)
        if account is None or account.identifier_kind is None or account.identifier_kind == "email":
            raise Abandon("no_letter_for_this_account")
        now, event_id = self._clock(), ids.new_id()
        issued = TemporaryPassword(hash=hashed, issued_at=now, expires_at=now + self._lives)
        await self._store.accounts.save(tx, [account.model_copy(update={"temporary_password": issued})])
        data = TemporaryPasswordIssued(
            member_number=job.member_number,
            reason=job.data["reason"],
            identifier_kind=account.identifier_kind,
            password=self._sealing.seal(printed, event_id=event_id, field="password"),
            expires_at=issued.expires_at,
        )
        tx.publish(Event.of(data, id=event_id))

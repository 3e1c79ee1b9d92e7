"""Makes the temporary passwords that are sent by post; the work of a low-priority worker."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.auth.models import TemporaryPassword
from services.auth.passwords import Passwords, canonical_temporary, generate_temporary
from services.auth.store import Store
from shared import ids
from shared.events.auth import TemporaryPasswordIssued
from shared.events.base import Event
from shared.jobs import Abandon, Job, Jobs, Postpone
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
        now = self._clock()
        made = TemporaryPassword(first=canonical[0], hash=hashed, issued_at=now, expires_at=now + self._lives)
        await self._mongo.transaction(lambda tx: self._store_and_announce(tx, job, printed, made))

    async def _store_and_announce(self, tx: Transaction, job: Job, printed: str, made: TemporaryPassword) -> None:
        if not await self._jobs.done(tx, job):
            return
        account = await self._store.accounts.get(job.member_number, tx)
        if account is None or account.identifier_kind is None or account.identifier_kind == "email":
            raise Abandon("no_letter_for_this_account")
        if account.closure:
            raise Abandon("sign_in_closed")
        good = [known for known in account.temporary_passwords if known.expires_at > made.issued_at]
        if made.first in {known.first for known in good}:
            raise Postpone(0)  # they are told apart by it: make another
        await self._store.accounts.save(tx, [account.model_copy(update={"temporary_passwords": [*good, made]})])
        event_id = ids.new_id()
        data = TemporaryPasswordIssued(
            member_number=job.member_number,
            reason=job.data["reason"],
            identifier_kind=account.identifier_kind,
            password=self._sealing.seal(printed, event_id=event_id, field="password"),
            expires_at=made.expires_at,
        )
        tx.publish(Event.of(data, id=event_id))

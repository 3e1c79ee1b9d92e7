"""A blocked sign-in: the member is told of it, outside the request, and unlocks by the mailed link."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.auth import rules, tokens
from services.auth.models import Account, UnlockLink
from services.auth.service.activation_mails import LINKS_KEPT
from services.auth.service.mailed_links import good_link
from services.auth.store import Store
from services.auth.store.attempts import Attempt
from shared import ids
from shared.events.auth import AccountLocked
from shared.events.base import Event
from shared.jobs import Job, Jobs
from shared.mongo import Mongo, Transaction
from shared.sealing import Keyring

SIGN_IN_BLOCKED = "sign_in_blocked"


class Unlocks:
    """The request knows nobody: it writes one row of one shape, whoever is meant. A worker finds out who that is."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        sealing: Keyring,
        jobs: Jobs,
        link_lives: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._sealing, self._jobs = mongo, store, sealing, jobs
        self._link_lives, self._clock = link_lives, clock

    async def note(self, attempt: Attempt) -> None:
        """If this failure began a block, write that down; a block that is over before anybody looks is dropped."""
        if attempt.refused or attempt.blocked_until is None:
            return
        data = {"identifier_key": attempt.identifier, "attempt": attempt.id, "until": attempt.blocked_until}

        async def body(tx: Transaction) -> None:
            await self._jobs.put(
                tx,
                id=f"{SIGN_IN_BLOCKED}/{attempt.identifier}",
                kind=SIGN_IN_BLOCKED,
                member_number="",  # nobody was looked up
                data=data,
                expires_at=attempt.blocked_until,
            )

        await self._mongo.transaction(body)

    async def look_into(self, job: Job) -> None:
        """The worker: a member is told, with a link, unless the block was lifted or three were told of lately."""

        async def body(tx: Transaction) -> None:
            if not await self._jobs.done(tx, job):
                return
            key = job.data["identifier_key"]
            owner = await self._store.identifiers.owner(key, tx)
            account = await self._store.accounts.get(owner, tx) if owner else None
            if (
                account is not None
                and not account.closure
                and await self._store.attempts.stands(tx, key, job.data["attempt"])
            ):
                await self._tell(tx, account, job.data["until"])

        await self._mongo.transaction(body)

    async def unlock(self, token: str) -> str:
        """Lift the blocks; answers the token by which this browser is known from now on. Opens no session.

        Always a new one: a device that is blocked for a day stays so, and the member comes in all the same.
        Raises `LinkUsed`, `LinkExpired`.
        """
        device_token = tokens.new_secret()

        async def body(tx: Transaction) -> None:
            now = self._clock()
            link, account = await good_link(self._store, self._store.unlock_links, tokens.digest(token), now, tx)
            await self._store.unlock_links.use(tx, link, now)
            await self._store.attempts.forgive(tx, str(account.identifier_key))
            await self._store.security_events.note(tx, account.member_number, "unlocked")
            account = rules.with_device(account, tokens.digest(device_token), now, trusted=False)
            await self._store.accounts.save(tx, [account])

        await self._mongo.transaction(body)
        return device_token

    async def _tell(self, tx: Transaction, account: Account, until: datetime) -> None:
        now = self._clock()
        told = rules.lock_told(account, now)
        if told is None:
            return
        token, expires_at, event_id = tokens.new_secret(), now + self._link_lives, ids.new_id()
        link = UnlockLink(
            token_hash=tokens.digest(token),
            member_number=account.member_number,
            expires_at=expires_at,
            delete_at=expires_at + LINKS_KEPT,
        )
        await self._store.unlock_links.add(tx, link)
        await self._store.accounts.save(tx, [told])
        await self._store.security_events.note(tx, account.member_number, "blocked")
        data = AccountLocked(
            member_number=account.member_number,
            until=until,
            unlock_token=self._sealing.seal(token, event_id=event_id, field="unlock_token"),
            expires_at=expires_at,
        )
        tx.publish(Event.of(data, id=event_id))

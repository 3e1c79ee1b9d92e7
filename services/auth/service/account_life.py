"""The end of an account: erased some months after the membership, or closed by an operator before that.

member ─(MembershipEnded)→ signs in, reads, sends nothing any more ─(`KEPT_MONTHS_AFTER_END`)→ erased, `MemberErased`
   └─(an operator: death, dispute, …)→ closed ─(an operator)→ as before
"""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Final

from services.auth import membership_rules
from services.auth.models import Account, SignInClosure
from services.auth.service.sessions import Sessions
from services.auth.store import Store
from shared.events.auth import MemberErased
from shared.events.base import Event
from shared.jobs import Job, Jobs
from shared.mongo import Mongo, Transaction
from shared.operator_orders import Order

ERASURE: Final = "erasure"
CLOSE: Final = "close_sign_in"
OPEN: Final = "open_sign_in"


class AccountLife:
    """Plans and does erasures, closes and opens the way in."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        jobs: Jobs,
        sessions: Sessions,
        kept_months: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._jobs, self._sessions = mongo, store, jobs, sessions
        self._kept_months, self._clock = kept_months, clock

    async def erase(self, job: Job) -> None:
        """The worker: everything auth holds of the member goes, and every service is told.

        A membership that goes on again, or whose end was moved, stays.
        """

        async def body(tx: Transaction) -> None:
            if not await self._jobs.done(tx, job):
                return
            account = await self._store.accounts.get(job.member_number, tx)
            due = membership_rules.erased_on(account, self._kept_months) if account else None
            if account is None or due is None or due > self._clock().date():
                return
            await self._sessions.close_all(tx, account)
            await self._jobs.drop(tx, {"member_number": account.member_number})
            await self._store.forget(tx, account)
            tx.publish(Event.of(MemberErased(member_number=account.member_number, at=self._clock())))

        await self._mongo.transaction(body)

    async def close(self, order: Order, tx: Transaction) -> str:
        """An operator's order: nobody signs in any more, and who is signed in is out."""
        account = await self._store.accounts.get(order.member_number, tx)
        if account is None:
            return "unknown_member"
        closure = SignInClosure.model_validate({"reason": order.reason, "at": self._clock()})
        account = await self._sessions.close_all(tx, account.model_copy(update={"closure": closure}))
        await self._store.security_events.note(tx, account.member_number, "closed")
        await self._store.accounts.save(tx, [account])
        return "done"

    async def open(self, order: Order, tx: Transaction) -> str:
        """An operator's order: the member signs in as before."""
        account = await self._store.accounts.get(order.member_number, tx)
        if account is None:
            return "unknown_member"
        await self._store.accounts.save(tx, [account.model_copy(update={"closure": None})])
        await self._store.security_events.note(tx, account.member_number, "opened")
        return "done"


async def plan_erasure(tx: Transaction, jobs: Jobs, account: Account, kept_months: int) -> None:
    """Put, move or drop the job that erases the member, as the end of the membership now stands."""
    job_id, due = f"{ERASURE}/{account.member_number}", membership_rules.erased_on(account, kept_months)
    if due is None:
        await jobs.drop(tx, {"_id": job_id})
        return
    await jobs.put(
        tx,
        id=job_id,
        kind=ERASURE,
        member_number=account.member_number,
        data={},
        not_before=datetime.combine(due, time(), UTC),
    )

"""When a payment's statement is announced: once, when its claims have stopped coming."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final

from services.claims.store import ClaimsStore
from shared.events.base import Event
from shared.events.claims import StatementReady
from shared.jobs import Job, JobHandler, Jobs, Quiet
from shared.live import key
from shared.mongo import Mongo, Transaction

ANNOUNCE: Final = "statement"


class Statements:
    """The statements that wait for quiet: one job row for each member and payment."""

    def __init__(self, mongo: Mongo, store: ClaimsStore, jobs: Jobs, *, quiet: timedelta, at_most: timedelta) -> None:
        self._mongo, self._store, self._jobs = mongo, store, jobs
        self._quiet_s, self._at_most_s = quiet.total_seconds(), at_most.total_seconds()

    def handlers(self) -> Mapping[str, JobHandler]:
        """What a worker does with these jobs."""
        return {ANNOUNCE: self._announce}

    async def expect(self, payments: Collection[tuple[str, str]], tx: Transaction) -> None:
        """Claims of these payments, (`member_number`, `payment_id`), have come: wait, or wait on."""
        waiting = {
            f"{ANNOUNCE}/{key(member_number, payment_id)}": Quiet(member_number, {"payment_id": payment_id})
            for member_number, payment_id in sorted(payments)
        }
        await self._jobs.put_when_quiet(tx, ANNOUNCE, waiting, quiet_s=self._quiet_s, at_most_s=self._at_most_s)

    async def erase(self, member_numbers: Collection[str], tx: Transaction) -> None:
        """These members' statements are announced no more."""
        await self._jobs.drop(tx, {"member_number": {"$in": list(member_numbers)}})

    async def _announce(self, job: Job) -> None:
        member_number, payment_id = job.member_number, str(job.data["payment_id"])

        async def body(tx: Transaction) -> None:
            if not await self._jobs.done(tx, job):
                return  # another claim came meanwhile
            payment = await self._store.find_payment(member_number, payment_id, tx)
            if payment is None or not await self._store.announce_once(member_number, payment_id, tx):
                return  # its claims were told anew for another payment, or they are late: list and paper have them
            ready = StatementReady(
                member_number=member_number,
                payment_id=payment_id,
                paid_on=date.fromisoformat(payment.paid_on),
                claim_count=payment.claim_count,
            )
            tx.publish(Event.of(ready, subject=payment_id))

        await self._mongo.transaction(body)

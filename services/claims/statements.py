"""When a payment's statement is announced: once, when its claims have stopped coming."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final

from services.claims.models import PaymentAtRest
from services.claims.store import ClaimsStore
from shared.events.base import Event
from shared.events.claims import StatementReady
from shared.ids import new_id
from shared.jobs import Job, JobHandler, Jobs
from shared.mongo import Mongo, Transaction

ANNOUNCE: Final = "statement"
AT_ONCE: Final = 100
"""Statements of one transaction."""
_RESTED: Final = 0.9
"""Of the time a payment is to rest: its claims are stamped by the database's clock, their job is due by ours."""

PaymentKey = tuple[str, str]
"""(`member_number`, `payment_id`)."""


class Statements:
    """The statements that wait for quiet.

    One job row for each batch of claims, so that waiting costs a batch one write: the last row that names a payment
    is due when it has rested. Each row looks for itself, so that a payment which never rests is announced all the same.
    """

    def __init__(self, mongo: Mongo, store: ClaimsStore, jobs: Jobs, *, quiet: timedelta, at_most: timedelta) -> None:
        self._mongo, self._store, self._jobs = mongo, store, jobs
        self._quiet, self._at_most = quiet, at_most

    def handlers(self) -> Mapping[str, JobHandler]:
        """What a worker does with these jobs."""
        return {ANNOUNCE: self._announce}

    async def expect(self, payments: Collection[PaymentKey], tx: Transaction) -> None:
        """Claims of these payments have come: look when they may have rested."""
        if payments:
            await self._wait(new_id(), sorted(payments), datetime.now(UTC), tx)

    async def erase(self, member_numbers: Collection[str], tx: Transaction) -> None:
        """These members' statements are announced no more."""
        whose = {"member_number": {"$in": list(member_numbers)}}
        await self._jobs.change(tx, ANNOUNCE, {"$pull": {"data.payments": whose}})
        await self._jobs.drop(tx, whose)  # of an earlier release

    async def _wait(self, job_id: str, payments: Sequence[PaymentKey], first: datetime, tx: Transaction) -> None:
        rows = [{"member_number": member_number, "payment_id": payment_id} for member_number, payment_id in payments]
        await self._jobs.put(
            tx,
            id=job_id,
            kind=ANNOUNCE,
            member_number="",
            data={"payments": rows},
            first_put_at=first,
            not_before=min(datetime.now(UTC) + self._quiet, first + self._at_most),
        )

    async def _announce(self, job: Job) -> None:
        payments = _payments(job)
        restless: list[PaymentKey] = []
        for first in range(0, len(payments), AT_ONCE):
            some, began = payments[first : first + AT_ONCE], time.monotonic()
            restless += await self._mongo.transaction(partial(self._announce_rested, some, job.first_put_at))
            await asyncio.sleep(time.monotonic() - began)  # what arrives comes first: members wait for that

        async def wait_on(tx: Transaction) -> None:
            if await self._jobs.done(tx, job) and restless:
                await self._wait(job.id, restless, job.first_put_at, tx)

        await self._mongo.transaction(wait_on)

    async def _announce_rested(
        self, payments: Sequence[PaymentKey], first: datetime, tx: Transaction
    ) -> list[PaymentKey]:
        """Announce once what has rested, or waited long enough; answers what goes on waiting."""
        long_enough = datetime.now(UTC) >= first + self._at_most
        # Not there: erased, or its claims were told anew for another payment.
        found = await self._store.payments_at_rest(payments, tx)
        waiting = [one for one in found if not (long_enough or one.rested >= _RESTED * self._quiet)]
        for one in await self._store.announce_once([one for one in found if one not in waiting], tx):
            tx.publish(Event.of(_ready(one), subject=one.payment_id))
        return [(one.member_number, one.payment_id) for one in waiting]


def _payments(job: Job) -> list[PaymentKey]:
    if "payments" not in job.data:  # a row of an earlier release: one payment
        return [(job.member_number, str(job.data["payment_id"]))]
    return [(row["member_number"], row["payment_id"]) for row in job.data["payments"]]


def _ready(payment: PaymentAtRest) -> StatementReady:
    return StatementReady(
        member_number=payment.member_number,
        payment_id=payment.payment_id,
        paid_on=date.fromisoformat(payment.paid_on),
        claim_count=payment.claim_count,
    )

"""Rebuilds the claims when an operator asks for it, a few events at a time, while members read and arrivals go on.

One process does it, by lease. Killed anywhere it is taken up where the row says; two at once only share the work, for
each step writes the row in the transaction of its effect. The order of keys is not that of time, and need not be:
the same facts end in the same claims in whatever order they are folded (`rules.py`).
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from pymongo.errors import OperationFailure, PyMongoError

from services.claims import rules
from services.claims.models import Kept, Order
from services.claims.rebuild import orders
from services.claims.rebuild.fence import Fence
from services.claims.rebuild.orders import REBUILDS, SHOWN, STOPPABLE, THE_ROW, Rebuild, State
from services.claims.store import CLAIMS, COLLECTIONS, ClaimsStore
from services.claims.store.kept import event_of, facts_kept, kept
from shared.backoff import Backoff
from shared.errors import Unavailable
from shared.events.base import Event
from shared.events.record import InvalidRecord
from shared.leases import Lease
from shared.live import key
from shared.logs import get_logger
from shared.mongo import Document, Mongo, Transaction

POLL_S: Final = 1.0
PAUSE_S: Final = 0.01
"""After each transaction: members and arrivals come first."""
LEASE_S: Final = 5.0
RENEW_S: Final = 1.0
_NO_SUCH_COLLECTION: Final = 26

log = get_logger(__name__)


class Rebuilder:
    """A part of the service. `max_records`: events, or claims compared, of one transaction."""

    name = "rebuild"
    required = False

    def __init__(self, mongo: Mongo, fence: Fence, max_records: int) -> None:
        self._mongo, self._fence, self._max_records = mongo, fence, max_records
        self._claims = ClaimsStore(mongo.db)
        self._lease = Lease(mongo, "rebuild", lasts_s=LEASE_S, renewed_s=RENEW_S)
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    async def start(self) -> None:
        """Begin in the background."""
        await self._fence.register()
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Leave the rest to another process, or to the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._lease.release()

    async def state(self) -> str:
        """`ok`, or why a rebuild stands still."""
        return self._trouble or "ok"

    async def _run(self) -> None:
        backoff = Backoff(first_s=0.2, cap_s=5.0)
        while True:
            try:
                pause_s = await self.step()
                self._trouble = ""
                backoff.reset()
                await asyncio.sleep(pause_s)
            except (PyMongoError, Unavailable) as error:
                self._trouble = f"waiting: {type(error).__name__}"
                log.warning("rebuild_waits", error=type(error).__name__)
                await backoff.sleep()
            except Exception as error:  # nobody else would notice that it stands still
                self._trouble = f"failing: {type(error).__name__}"
                log.exception("rebuild_failed")
                await backoff.sleep()

    async def step(self) -> float:
        """A little of what there is to do, if it is ours to do; answers how long to wait before the next step."""
        rebuild = await orders.find(self._mongo.db)
        if rebuild is None or rebuild.ended or not await self._lease.hold():
            return POLL_S
        if rebuild.cancelled and rebuild.state in STOPPABLE:
            await self._move(rebuild, State.DISCARDING)
            return 0.0
        match rebuild.state:
            case State.ASKED:
                await self._prepare(rebuild)
            case State.WALKING:
                await self._walk(rebuild)
            case State.COMPARING:
                await self._mongo.transaction(partial(self._compare, rebuild))
            case State.SWAPPING:
                await self._swap(rebuild)
            case State.DISCARDING:
                await self._discard(rebuild)
        return PAUSE_S

    async def _prepare(self, rebuild: Rebuild) -> None:
        """An empty collection with today's indexes; what an earlier rebuild may have left behind goes."""
        names = await self._mongo.db.list_collection_names(filter={"name": {"$regex": f"^{CLAIMS}_[0-9a-f]+$"}})
        for name in names:
            if name < rebuild.target:  # never one of a later rebuild, should this process be late
                await self._mongo.db.drop_collection(name)
        await self._mongo.db[rebuild.target].create_indexes(list(COLLECTIONS[CLAIMS]))
        await self._move(rebuild, State.WALKING)

    async def _walk(self, rebuild: Rebuild) -> None:
        """What arrives from now on goes into both: only the claims there are by now have to be walked."""
        if rebuild.until is not None:
            await self._mongo.transaction(partial(self._replay, rebuild, rebuild.until))
            return
        await self._fence.passed()
        until = await self._claims.last_key()
        await self._move(rebuild, State.WALKING, until=until, total=await self._claims.count_up_to(until))

    async def _replay(self, expected: Rebuild, until: str, tx: Transaction) -> None:
        """Fold what the next claims were told into the new ones; what cannot be read any more is kept all the same."""
        rebuild = await _still(expected, tx)
        if rebuild is None:
            return
        rows = await self._claims.claims_between(rebuild.after, until, self._max_records, tx)
        if not rows:
            await self._move(rebuild, State.COMPARING, tx, after="")
            return
        told = [event for row in rows for event in kept(row)]
        told += await self._claims.superseded([row["_id"] for row in rows], tx)
        events, losses = _read(told)
        await self._fold(ClaimsStore(tx.db, rebuild.target), events, tx)
        await self._claims.save_superseded([event for event in told if event.id in losses], tx)
        await _note(tx, rows[-1]["_id"], "replayed", len(rows), losses)

    async def _fold(self, beside: ClaimsStore, events: Sequence[Event[rules.ClaimEvent]], tx: Transaction) -> None:
        """A claim that members know already keeps its stamp: nobody is told of a rebuild."""
        named = {key(e.data.member_number, claim_id) for e in events for claim_id in rules.claims_named(e.data)}
        held = await beside.claims_around(named, tx)
        folded = rules.fold(held, events)
        keys = [key(claim.member_number, claim.claim_id) for claim, _ in folded.claims]
        await beside.save_claims(folded.claims, held, tx, await self._claims.stamps(keys, tx))
        await beside.save_superseded(folded.superseded, tx)

    async def _compare(self, expected: Rebuild, tx: Transaction) -> None:
        """Look whether the new claims have every fact of the next old ones; after the last, decide.

        Arrivals write both in one transaction, so that in any snapshot both must have the same facts.
        """
        rebuild = await _still(expected, tx)
        if rebuild is None:
            return
        old = await self._claims.orders_after(rebuild.after, self._max_records, tx)
        if not old:
            refused = rebuild.cancelled or (rebuild.lost and not rebuild.accept_losses)
            await self._move(rebuild, State.DISCARDING if refused else State.SWAPPING, tx)
            return
        new = await ClaimsStore(tx.db, rebuild.target).orders(old.keys(), tx)
        lacking = {claim: set(_lacking(facts, new.get(claim, {}))) for claim, facts in old.items()}
        await _note(tx, list(old)[-1], "compared", len(old), await self._not_folded(lacking, tx))

    async def _not_folded(self, lacking: Mapping[str, set[str]], tx: Transaction) -> dict[str, str]:
        """The events that should be in the new claims; those that could not be read were counted in the walk."""
        rows = await self._claims.rows([claim for claim, events in lacking.items() if events], tx)
        told = [event for row in rows for event in facts_kept(row).values() if event.id in lacking[row["_id"]]]
        readable, _ = _read(told)
        return {event.id: "not_folded" for event in readable}

    async def _swap(self, rebuild: Rebuild) -> None:
        """Arrivals stand still for this moment; readers find the old claims, then the new ones."""
        await self._fence.passed()
        try:
            await self._mongo.db[rebuild.target].rename(CLAIMS, dropTarget=True)
        except OperationFailure as error:
            if error.code != _NO_SUCH_COLLECTION:
                raise
            log.info("rebuild_swapped_before")  # and not noted any more
        await self._move(rebuild, State.DONE)

    async def _discard(self, rebuild: Rebuild) -> None:
        await self._fence.passed()
        await self._mongo.db.drop_collection(rebuild.target)
        await self._move(rebuild, State.CANCELLED if rebuild.cancelled else State.REFUSED)

    async def _move(self, rebuild: Rebuild, state: State, tx: Transaction | None = None, **also: str | int) -> None:
        """Note the next state, unless another process did."""
        where = {**THE_ROW, "target": rebuild.target, "state": rebuild.state, "until": rebuild.until}
        rows = self._mongo.db[REBUILDS]
        await rows.update_one(where, {"$set": {"state": state, **also}}, session=tx.session if tx else None)
        log.info("rebuild", state=state, replayed=rebuild.replayed, compared=rebuild.compared, lost=rebuild.lost)


async def _still(expected: Rebuild, tx: Transaction) -> Rebuild | None:
    """The rebuild as it is now, if it stands where it is expected; None if another process has gone on."""
    found = await orders.find(tx.db, tx.session)
    same = found and (found.target, found.state) == (expected.target, expected.state)
    return found if same else None


async def _note(tx: Transaction, after: str, counter: str, count: int, losses: Mapping[str, str]) -> None:
    named = [{"event": event, "reason": reason} for event, reason in sorted(losses.items())]
    change: Document = {
        "$set": {"after": after},
        "$inc": {counter: count, "lost": len(losses)},
        "$push": {"losses": {"$each": named, "$slice": SHOWN}},
    }
    await tx.db[REBUILDS].update_one(THE_ROW, change, session=tx.session)


def _read(told: Iterable[Kept]) -> tuple[list[Event[rules.ClaimEvent]], dict[str, str]]:
    """The events, each once, and by the id of what today's contract refuses why it does."""
    events: list[Event[rules.ClaimEvent]] = []
    losses: dict[str, str] = {}
    for one in {event.id: event for event in told}.values():
        try:
            events.append(event_of(one))
        except InvalidRecord as invalid:
            losses[one.id] = invalid.reason
    return events, losses


def _lacking(old: Mapping[str, Order], new: Mapping[str, Order]) -> Iterable[str]:
    """The ids of the events whose facts the new claim has neither itself nor in a newer form."""
    return (order[1] for fact, order in old.items() if fact not in new or new[fact] < order)

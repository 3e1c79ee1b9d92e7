"""Brings what older releases stored up to what lists need now: once, in the background, while requests are answered."""

import asyncio
from functools import partial
from typing import Final

from pymongo.errors import PyMongoError

from services.claims import rules
from services.claims.store import ClaimsStore
from shared.backoff import Backoff
from shared.errors import Unavailable
from shared.logs import get_logger
from shared.mongo import Mongo, Transaction

LISTING_VERSION: Final = 2
"""Raised when a listing gains something that claims stored before it lack. 2: `words` and `figures`."""
AT_ONCE: Final = 200
"""Claims of one transaction."""

log = get_logger(__name__)


class Upkeep:
    """A part of the service. Several replicas may do it side by side: what was done twice is the same."""

    name = "upkeep"
    required = False

    def __init__(self, mongo: Mongo) -> None:
        self._mongo, self._store = mongo, ClaimsStore(mongo.db)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._until_done(), name=self.name)

    async def stop(self) -> None:
        """Leave the rest to the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def state(self) -> str:
        """`ok` once there is nothing to do."""
        return "ok" if self._task is None or self._task.done() else "older claims are being brought up"

    async def _until_done(self) -> None:
        backoff = Backoff(first_s=0.5, cap_s=30.0)
        while True:
            try:
                await self.run()
                return
            except (PyMongoError, Unavailable) as error:
                log.warning("upkeep_waits", error=type(error).__name__)
                await backoff.sleep()

    async def run(self) -> None:
        """All there is to do."""
        await self._store.drop_replaced_indexes()
        count = 0
        while keys := await self._store.claims_to_renew(LISTING_VERSION, AT_ONCE):
            await self._mongo.transaction(partial(self._renew, keys))
            count += len(keys)
        await self._store.renewed(LISTING_VERSION, None)
        if count:
            log.info("claims_brought_up", count=count)

    async def _renew(self, keys: list[str], tx: Transaction) -> None:
        held = await self._store.claims_around(keys, tx)
        claims = [held[claim_key] for claim_key in keys if claim_key in held]
        renewed = [(claim, rules.listing(claim, held.get(rules.original_key(claim) or ""))) for claim in claims]
        await self._store.save_listings(renewed, tx)
        await self._store.renewed(LISTING_VERSION, keys[-1], tx)

"""`used_challenges`: what was answered, so that none serves twice; `resets_without_challenge`: who asked without."""

from datetime import datetime, timedelta
from typing import Final

from pymongo.errors import DuplicateKeyError

from shared.conflicts import WriteConflict
from shared.mongo import Mongo, Transaction

KEPT_LONGER: Final = timedelta(hours=1)
"""Than a challenge can be answered: no clock is that far off."""


class UsedChallenges:
    """One row an answered challenge; its `_id` is what tells it from every other."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.db["used_challenges"]

    async def use(self, tx: Transaction, key: str, expires_at: datetime) -> bool:
        """It serves now. False: it has served."""
        row = {"_id": key, "delete_at": expires_at + KEPT_LONGER}
        try:
            await self._collection.insert_one(row, session=tx.session)
        except DuplicateKeyError:
            return False
        return True


class WithoutChallenge:
    """When a network asked without one: `times` of the last hour, one row a network."""

    def __init__(self, mongo: Mongo) -> None:
        self._collection = mongo.db["resets_without_challenge"]

    async def times(self, tx: Transaction, key: str, since: datetime) -> list[datetime]:
        """Those after `since`, oldest first."""
        row = await self._collection.find_one({"_id": key}, session=tx.session)
        return [time for time in row["times"] if time > since] if row else []

    async def keep(self, tx: Transaction, key: str, times: list[datetime], delete_at: datetime) -> None:
        """Write them. Two transactions that read the same times cannot both commit: the later one reads again."""
        row = {"times": times, "delete_at": delete_at}
        try:
            await self._collection.replace_one({"_id": key}, row, upsert=True, session=tx.session)
        except DuplicateKeyError as error:  # the network's first two at once
            raise WriteConflict from error

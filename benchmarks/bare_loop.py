"""The limit we compare with: a loop that reads claims.v1 and upserts, with no guarantee at all.

No contract, no transaction, no dead letters, automatic commits: what anybody writes in twenty lines. Its writes are
acknowledged as ours are: by the majority, with the journal flushed.
"""

import asyncio
import json
import os
import sys
from typing import Any

from aiokafka import AIOKafkaConsumer
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import SecretStr
from pymongo import UpdateOne

from shared.kafka import KafkaAccess


async def main(collection: str, batch_records: int, *, mark: bool) -> None:
    """One unordered bulk write a batch. `mark` only commits the topic's present end as the place to begin."""
    access = KafkaAccess(
        os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["KAFKA_USERNAME"], SecretStr(os.environ["KAFKA_PASSWORD"])
    )
    consumer = AIOKafkaConsumer(
        "claims.v1", **access.client_arguments(), group_id=f"portal-{collection}", auto_offset_reset="latest"
    )
    await consumer.start()
    if mark:
        await consumer.getmany(timeout_ms=2000)
        await consumer.commit(await consumer.end_offsets(list(consumer.assignment())))
        await consumer.stop()
        return
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(os.environ["MONGO_URL"], w="majority", journal=True)
    database = client[os.environ["MONGO_DATABASE"]]
    while True:
        batch = await consumer.getmany(timeout_ms=20, max_records=batch_records)
        claims = [json.loads(record.value) for records in batch.values() for record in records]
        if claims:
            writes = [UpdateOne({"_id": c["member_number"] + c["claim_id"]}, {"$set": c}, upsert=True) for c in claims]
            await database[collection].bulk_write(writes, ordered=False)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], 500, mark="mark" in sys.argv[2:]))

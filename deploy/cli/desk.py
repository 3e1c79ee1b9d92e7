"""The dead letters of the services in MongoDB, with an operator's rights; what goes wrong ends the command."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from deploy.cli import database
from deploy.cli.exits import INVALID, fail
from shared.dead_letters import Desk, Letter, UnknownLetters
from shared.mongo import Mongo


def oldest(services: Sequence[str], topic: str | None, limit: int, timeout_s: float) -> list[Letter]:
    """The `limit` oldest letters of these services together, oldest first."""
    return database.answer(lambda url: _oldest(url, services, topic, limit, timeout_s), timeout_s)


def request(service: str, keys: Sequence[str], topic: str | None, reason_prefix: str, timeout_s: float) -> int:
    """Ask for the replay of the letters with these keys, or without keys of all that match; how many."""

    async def ask(url: str) -> int:
        async with _desk(url, service, timeout_s) as desk:
            return await (desk.request(keys) if keys else desk.request_all(topic, reason_prefix))

    try:
        return database.answer(ask, timeout_s)
    except UnknownLetters as error:
        fail(INVALID, *(f"{key}: no such dead letter; nothing was asked" for key in error.keys))


@asynccontextmanager
async def _desk(url: str, service: str, timeout_s: float) -> AsyncIterator[Desk]:
    # Never started: starting would make the service's collections, which is not ours to do.
    mongo = Mongo(url, service, wait_s=timeout_s, pool_connections=1)
    try:
        yield Desk(service, mongo)
    finally:
        await mongo.stop()


async def _oldest(url: str, services: Sequence[str], topic: str | None, limit: int, timeout_s: float) -> list[Letter]:
    async with AsyncExitStack() as opened:
        desks = [await opened.enter_async_context(_desk(url, service, timeout_s)) for service in services]
        found = await asyncio.gather(*(desk.oldest(limit, topic) for desk in desks))
    return sorted((letter for letters in found for letter in letters), key=lambda letter: letter.at)[:limit]

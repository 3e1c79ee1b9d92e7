"""Live streams: bounded queues, positions, and a change stream on a real replica set that nothing makes deaf."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pymongo
import pytest
from pymongo import UpdateOne, WriteConcern

from shared.backoff import Backoff
from shared.errors import Unavailable
from shared.live import Change, EventStream, Live, LiveLimits, key
from shared.live.keys import instant, milliseconds, parts
from shared.live.listeners import Listener, Listeners
from shared.live.sse import position
from shared.mongo import Mongo
from shared.tokens import Member
from tests.stack import RealServers

ME = "12345678"


def change(record_id: str, at_ms: int = 1, event: str = "claim", member: str = ME) -> Change:
    return Change(event, member, record_id, at_ms)


def test_a_key_names_its_owner_whatever_the_id_holds() -> None:
    assert parts(key(ME, "R/2026/1")) == (ME, "R/2026/1")


def test_stamps_are_whole_milliseconds_both_ways() -> None:
    at = datetime(2026, 11, 20, 12, 0, 0, 123_000, UTC)
    assert instant(milliseconds(at)) == at
    assert instant(10**15 - 1) == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "after", "expected"),
    [("1700", 5, 1700), (None, 5, 5), ("", None, None), ("c1.d2.n3", 5, 5), ("9" * 400, None, 10**15 - 1)],
)
def test_the_last_event_id_wins_over_the_query(header: str | None, after: int | None, expected: int | None) -> None:
    assert position(header, after) == expected


async def test_only_the_newest_change_of_a_record_waits() -> None:
    listener = Listener(ME, max_pending=2)
    for at_ms, record_id in enumerate(["R-1", "R-2", "R-1"]):
        listener.offer(change(record_id, at_ms))
    assert await listener.take(0.1) == ([change("R-2", 1), change("R-1", 2)], False)
    assert await listener.take(0.01) == ([], False)


async def test_a_client_that_reads_too_slowly_is_told_to_reload_once() -> None:
    listener = Listener(ME, max_pending=2)
    for number in range(10):
        listener.offer(change(f"R-{number}"))
    assert await listener.take(0.1) == ([], True)
    listener.offer(change("R-11"))
    assert await listener.take(0.1) == ([change("R-11")], False)


async def test_changes_go_to_the_streams_of_their_member_alone() -> None:
    listeners = Listeners()
    mine, also_mine, other = Listener(ME, 5), Listener(ME, 5), Listener("87654321", 5)
    for listener in (mine, also_mine, other):
        listeners.add(listener)
    listeners.remove(also_mine)
    listeners.offer([change("R-1")])
    assert await mine.take(0.1) == ([change("R-1")], False)
    for listener in (also_mine, other):
        assert await listener.take(0.01) == ([], False)
    assert len(listeners) == 2


# On a real replica set


class Room:
    """A database with two followed collections and one that is not."""

    def __init__(self, mongo: Mongo, server: pymongo.MongoClient[dict[str, Any]]) -> None:
        self.mongo, self.server = mongo, server
        self.closed: set[str] = set()
        self.live = self.new_live()

    def new_live(self, **limits: int) -> Live:
        return Live(
            self.mongo,
            {"claims": "claim", "messages": "message"},
            is_closed=lambda member: member.session_id in self.closed,
            limits=LiveLimits(**limits),
        )

    async def write(
        self,
        *record_ids: str,
        member: str = ME,
        collection: str = "claims",
        stamped: bool = True,
        concern: WriteConcern | None = None,
    ) -> None:
        """Write records as stores do: stamped by the server's clock, unless it is housekeeping."""
        change: dict[str, Any] = {"$set": {"member_number": member, "noise": uuid4().hex}}
        if stamped:
            change["$currentDate"] = {"updated_at": True}
        rows = [UpdateOne({"_id": key(member, record_id)}, change, upsert=True) for record_id in record_ids]
        await self.mongo.db.get_collection(collection, write_concern=concern).bulk_write(rows)

    def cursors(self) -> int:
        """Change stream cursors that the server holds for this database."""
        of_this_database = {"cursor.tailable": True, "ns": {"$regex": f"^{self.mongo.db.name}\\."}}
        stages: list[dict[str, Any]] = [
            {"$currentOp": {"idleCursors": True, "allUsers": True}},
            {"$match": of_this_database},
        ]
        return len(list(self.server["admin"].aggregate(stages)))


def someone(member_number: str = ME, session_id: str = "session", expires_in_s: float = 60) -> Member:
    now = datetime.now(UTC)
    return Member(member_number, session_id, "main", frozenset(), now, now + timedelta(seconds=expires_in_s))


@pytest.fixture
async def room(infra: RealServers) -> AsyncIterator[Room]:
    name = f"live-{uuid4().hex[:8]}"
    mongo = Mongo(infra.mongo_admin_url, name, collections={"claims": [], "messages": [], "secrets": []})
    await mongo.start()
    server: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(infra.mongo_admin_url)
    with server:
        room = Room(mongo, server)
        yield room
        await room.live.stop()
        server.drop_database(name)
    await mongo.stop()


@pytest.fixture
def slow_journal(room: Room) -> Iterator[None]:
    """What is written without waiting for the journal, a majority holds only up to half a second later."""
    room.server["admin"].command("setParameter", 1, journalCommitInterval=500)
    yield
    room.server["admin"].command("setParameter", 1, journalCommitInterval=100)


class Reader:
    """What a client of one stream has been sent, by block."""

    def __init__(self, stream: EventStream) -> None:
        self.blocks: list[str] = []
        self._task = asyncio.create_task(
            stream({"type": "http", "asgi": {"spec_version": "2.3"}}, self._quiet, self._sent)
        )

    async def _quiet(self) -> Any:
        await asyncio.Event().wait()

    async def _sent(self, message: Any) -> None:
        self.blocks += [block for block in message.get("body", b"").decode().split("\n\n") if block]

    async def told(self, count: int, within_s: float = 20) -> list[str]:
        """`event id` of the first `count` events, ids alone and comments left out."""
        told: list[str] = []
        async with asyncio.timeout(within_s):
            while len(told) < count:
                await asyncio.sleep(0.01)
                told = [_short(block) for block in self.blocks if "event: " in block]
        return told

    async def ended(self, within_s: float = 20) -> None:
        await asyncio.wait_for(asyncio.shield(self._task), within_s)

    async def leave(self) -> None:
        await asyncio.sleep(0.01)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def _short(block: str) -> str:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    return f"{fields['event']} {fields['data']}"


@pytest.mark.servers
class TestOnAReplicaSet:
    async def test_every_followed_collection_is_told_under_its_name(self, room: Room) -> None:
        reader = Reader(await room.live.stream(someone(), None))
        await room.write("s", collection="secrets")
        await room.write("R-0", stamped=False)
        await room.write("R-1")
        await room.write("m-1", collection="messages")
        assert await reader.told(2) == ['claim {"id": "R-1"}', 'message {"id": "m-1"}']
        await reader.leave()

    async def test_the_change_stream_lives_only_while_someone_listens(self, room: Room) -> None:
        assert room.cursors() == 0
        readers = [Reader(await room.live.stream(someone(), None)) for _ in range(3)]
        assert room.cursors() == 1
        for reader in readers:
            await reader.leave()
        open_cursors = 1
        async with asyncio.timeout(10):
            while open_cursors:
                await asyncio.sleep(0.05)
                open_cursors = room.cursors()
        again = Reader(await room.live.stream(someone(), None))
        await room.write("R-1")
        assert await again.told(1) == ['claim {"id": "R-1"}']
        await again.leave()

    async def test_what_happened_between_two_streams_is_read_again_oldest_first(self, room: Room) -> None:
        await room.write("R-1")
        await room.write("m-1", collection="messages")
        await room.write("R-2")
        await room.write("R-other", member="87654321")
        reader = Reader(await room.live.stream(someone(), 1))
        assert await reader.told(3) == ['claim {"id": "R-1"}', 'message {"id": "m-1"}', 'claim {"id": "R-2"}']
        await reader.leave()

    async def test_a_write_that_no_majority_holds_yet_when_the_change_stream_opens_is_told(
        self, room: Room, slow_journal: None
    ) -> None:
        for number in range(10, 15):
            live, member = room.new_live(), f"123456{number}"
            await room.write("R-1", member=member, concern=WriteConcern(w=1))
            reader = Reader(await live.stream(someone(member), 1))
            assert set(await reader.told(1)) == {'claim {"id": "R-1"}'}  # read and told: twice is as good
            await reader.leave()
            await live.stop()

    async def test_too_much_missed_is_one_reload_with_the_present_as_its_id(self, room: Room) -> None:
        live = room.new_live(max_changes=3)
        await room.write("R-1", "R-2", "R-3", "R-4")
        reader = Reader(await live.stream(someone(), 1))
        assert await reader.told(1) == ["reload {}"]
        [block] = [block for block in reader.blocks if "reload" in block]
        assert int(block.split("\n")[0].removeprefix("id: ")) > 1_000_000_000_000
        await reader.leave()
        await live.stop()

    async def test_a_resume_token_that_is_lost_makes_everyone_reload(self, room: Room) -> None:
        reader = Reader(await room.live.stream(someone(), None))
        await asyncio.to_thread(room.server.drop_database, room.mongo.db.name)  # invalidates the stream for good
        assert await reader.told(1) == ["reload {}"]
        await room.write("R-1")
        assert await reader.told(2) == ["reload {}", 'claim {"id": "R-1"}']
        await reader.leave()

    async def test_what_is_written_while_the_stream_is_broken_is_told_once_it_stands_again(
        self, room: Room, infra: RealServers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        may_resume = asyncio.Event()

        class Held(Backoff):
            async def sleep(self) -> None:
                await may_resume.wait()
                await super().sleep()

        monkeypatch.setattr("shared.live.feed.Backoff", Held)
        reader = Reader(await room.live.stream(someone(), None))
        await asyncio.to_thread(infra.process("mongo").kill)
        await asyncio.to_thread(infra.process("mongo").start)
        await room.write("R-1")
        assert await room.live.state() == "waiting for the change stream"
        may_resume.set()
        assert await reader.told(1) == ['claim {"id": "R-1"}']
        await reader.leave()

    async def test_no_more_streams_than_the_bound(self, room: Room) -> None:
        live = room.new_live(max_streams=1)
        reader = Reader(await live.stream(someone(), None))
        with pytest.raises(Unavailable):
            await live.stream(someone(), None)
        await reader.leave()
        await Reader(await live.stream(someone(), None)).leave()
        await live.stop()

    async def test_a_stream_ends_with_its_token_its_session_or_the_process(self, room: Room) -> None:
        short = Reader(await room.live.stream(someone(expires_in_s=0.5), None))
        closed = Reader(await room.live.stream(someone(session_id="closed"), None))
        other = Reader(await room.live.stream(someone(session_id="other"), None))
        await short.ended()
        room.closed.add("closed")
        await closed.ended()
        room.live.drain()
        await other.ended(within_s=1)
        with pytest.raises(Unavailable):
            await room.live.stream(someone(), None)

    async def test_a_quiet_stream_sends_a_comment(self, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shared.live.sse.COMMENT_EVERY_S", 0.2)
        reader = Reader(await room.live.stream(someone(), None))
        await asyncio.sleep(1)
        assert reader.blocks.count(":") >= 2
        await reader.leave()

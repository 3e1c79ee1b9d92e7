"""What happens between two steps of a job: the use cases on a real database and bucket, stopped where it matters."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.notifications import rules, store
from services.notifications.letters import LetterPress
from services.notifications.mailer import Mailer, MailRefused
from services.notifications.mails import MailRoom
from services.notifications.models import Address, Member
from services.notifications.service.letters import BUCKET, DELETE, RENDER, Letters
from services.notifications.service.mails import SEND, Mails
from services.notifications.store import Store
from shared import jobs
from shared.jobs import Job, Jobs
from shared.mongo import Mongo, Transaction
from shared.objects import ObjectStore
from tests.services.notifications.conftest import World
from tests.services.notifications.settings import some_settings
from tests.services.notifications.test_mails_on_servers import requested
from tests.stack import RealServers

pytestmark = pytest.mark.servers

NUMBER = "12345678"
HOME = Address(lines=("12 RUE DES LILAS",), postal_code="69003", city="LYON", country="FR")


class Interrupted(ObjectStore):
    """The real bucket; once an object is put, something else happens before anybody learns of it."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def put(self, bucket: str, name: str, data: bytes, content_type: str) -> None:
        await super().put(bucket, name, data, content_type)
        if self.meanwhile is not None:
            await self.meanwhile()


class Refusing(Mailer):
    """A mail server that knows nobody of that name."""

    async def send(self, message: object) -> None:
        raise MailRefused(550)


@dataclass
class Desk:
    """The use cases, on a database of their own where no worker runs."""

    mongo: Mongo
    jobs: Jobs
    objects: Interrupted
    letters: Letters
    mails: Mails

    async def next(self, kind: str) -> Job:
        job = await self.jobs.lease([kind])
        assert job is not None
        return job

    async def outbox(self) -> list[str]:
        rows = self.mongo.db["outbox"].find()
        return [dict(row["headers"])["ce_type"].decode() async for row in rows]


@pytest.fixture
async def desk(infra: RealServers, world: World) -> AsyncIterator[Desk]:
    settings = some_settings(
        minio_endpoint=infra.minio_endpoint, minio_secret_key=infra.environment("notifications")["MINIO_SECRET_KEY"]
    )
    name = f"desk-{uuid4().hex[:8]}"
    mongo = Mongo(infra.mongo_admin_url, name, collections={**jobs.collections(), **store.collections()})
    await mongo.start()
    kept, queue, objects = Store(mongo.db, world.at_rest), Jobs(mongo), Interrupted(settings, probe_bucket=BUCKET)
    letters = Letters(mongo, kept, queue, objects, LetterPress(settings), world.keyring, 7)
    mails = Mails(mongo, kept, queue, MailRoom(settings), Refusing(settings), world.keyring, settings.portal_url, 72)

    async def know(tx: Transaction) -> None:
        order = (datetime.now(UTC), "e")
        laure = rules.told_by_membership(Member(), {"last_name": "Dupont", "postal_address": HOME}, order)
        await kept.save_members(tx, {NUMBER: laure})

    await mongo.transaction(know)
    yield Desk(mongo, queue, objects, letters, mails)
    await objects.stop()
    await mongo.db.client.drop_database(name)
    await mongo.stop()


async def order_letter(desk: Desk, world: World) -> str:
    """Order a letter; the name its object will have."""
    event = world.issued(NUMBER, "SECRET")
    await desk.mongo.transaction(lambda tx: desk.letters.order(event, tx))
    return f"{rules.stable_id(event.source, event.id)}.pdf"


async def withdraw(desk: Desk) -> None:
    """The member sets a password, and the deletion is done at once."""
    await desk.mongo.transaction(lambda tx: desk.letters.withdraw(NUMBER, datetime.now(UTC), tx))
    await desk.letters.delete(await desk.next(DELETE))


async def test_a_letter_withdrawn_while_it_is_put_leaves_no_object_and_no_announcement(
    desk: Desk, world: World
) -> None:
    name = await order_letter(desk, world)

    async def meanwhile() -> None:
        assert world.has(name)
        await withdraw(desk)
        await ObjectStore.put(desk.objects, BUCKET, name, b"put a moment later", "application/pdf")

    desk.objects.meanwhile = meanwhile
    await desk.letters.render(await desk.next(RENDER))
    assert not world.has(name)
    assert await desk.outbox() == []
    assert await desk.mongo.db["jobs"].count_documents({}) == 0


async def test_a_letter_whose_worker_died_after_the_put_and_is_withdrawn_then_leaves_no_object(
    desk: Desk, world: World
) -> None:
    class Killed(BaseException):
        pass

    async def meanwhile() -> None:
        raise Killed

    name = await order_letter(desk, world)
    desk.objects.meanwhile = meanwhile
    dead = await desk.next(RENDER)
    with pytest.raises(Killed):
        await desk.letters.render(dead)
    assert world.has(name)
    await withdraw(desk)
    assert not world.has(name)
    await desk.mongo.db["jobs"].update_one({"_id": dead.id}, {"$set": {"due_at": datetime.now(UTC)}})
    desk.objects.meanwhile = None
    await desk.letters.render(await desk.next(RENDER))
    assert not world.has(name)
    assert await desk.outbox() == []
    assert await desk.mongo.db["jobs"].count_documents({}) == 0


async def test_of_two_workers_on_one_letter_only_who_holds_the_lease_announces_it(desk: Desk, world: World) -> None:
    name = await order_letter(desk, world)
    slow = await desk.next(RENDER)

    async def meanwhile() -> None:
        desk.objects.meanwhile = None
        await desk.mongo.db["jobs"].update_one({"_id": slow.id}, {"$set": {"due_at": datetime.now(UTC)}})
        await desk.letters.render(await desk.next(RENDER))

    desk.objects.meanwhile = meanwhile
    await desk.letters.render(slow)
    assert world.has(name)
    assert await desk.outbox() == ["LetterReady"]
    await withdraw(desk)
    assert not world.has(name)


async def test_a_mail_refused_for_good_is_given_up_and_the_insurer_learns_of_it(desk: Desk, world: World) -> None:
    event = requested(world, NUMBER, "nobody@example.org")
    await desk.mongo.transaction(lambda tx: desk.mails.order("activation", event, tx))
    await desk.mails.send(await desk.next(SEND))
    assert await desk.outbox() == ["MailUndeliverable"]
    assert await desk.mongo.db["jobs"].count_documents({}) == 0


async def test_a_mail_waits_no_longer_than_its_link_lives(desk: Desk, world: World) -> None:
    event = requested(world, NUMBER, "laure@example.org")
    await desk.mongo.transaction(lambda tx: desk.mails.order("activation", event, tx))
    job = await desk.next(SEND)
    assert job.expires_at is not None
    assert abs(job.expires_at - event.data.expires_at) < timedelta(milliseconds=1)
    assert "laure" not in str(job.data)

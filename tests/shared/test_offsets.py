"""What is told to Kafka, and when: a commit amid a rebalance would begin another one."""

from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaConnectionError

from shared.events.record import Record
from shared.offsets import Offsets

P0, P1 = TopicPartition("claims.v1", 0), TopicPartition("claims.v1", 1)


class Kafka:
    """Stands for aiokafka's consumer: what it was asked to commit, and what it answers."""

    def __init__(self) -> None:
        self.assigned = {P0, P1}
        self.commits: list[dict[TopicPartition, int]] = []
        self.answers: list[Exception] = []

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.answers:
            raise self.answers.pop()
        self.commits.append(offsets)


def begun(applied_last: list[Record] | None = None) -> tuple[Offsets, Kafka]:
    kafka = Kafka()

    async def settle() -> None:
        assert offsets.amid_rebalance, "what is read now would be taken in behind what is dropped"
        offsets.note(applied_last or [])

    offsets = Offsets("claims.v1", lambda: kafka, settle)
    return offsets, kafka


def record(partition: int, offset: int) -> Record:
    return Record("claims.v1", partition, offset, b"", b"", ())


async def test_each_partition_is_committed_once_behind_its_last_record() -> None:
    offsets, kafka = begun()
    offsets.note([record(0, 4), record(1, 9), record(0, 5)])
    await offsets.commit()
    await offsets.commit()
    assert kafka.commits == [{P0: 6, P1: 10}]


async def test_what_is_under_way_is_committed_before_a_rebalance_and_nothing_amid_it() -> None:
    offsets, kafka = begun(applied_last=[record(0, 7)])
    await offsets.on_partitions_revoked({P0, P1})
    assert kafka.commits == [{P0: 8}]
    offsets.note([record(1, 3)])
    await offsets.commit()
    assert offsets.amid_rebalance
    await offsets.on_partitions_assigned({P1})
    await offsets.commit()
    assert kafka.commits == [{P0: 8}], "it is read again from what was committed, and then committed"
    offsets.note([record(1, 3)])
    await offsets.commit()
    assert kafka.commits[1:] == [{P1: 4}]


async def test_a_partition_of_another_process_is_not_committed() -> None:
    offsets, kafka = begun()
    kafka.assigned = {P1}
    offsets.note([record(0, 4), record(1, 9)])
    await offsets.commit()
    assert kafka.commits == [{P1: 10}]


async def test_a_commit_of_an_old_generation_is_not_tried_again_and_one_that_kafka_missed_is() -> None:
    offsets, kafka = begun()
    answers: list[tuple[Exception, list[Any]]] = [(CommitFailedError(), []), (KafkaConnectionError(), [{P0: 5}])]
    for refusal, commits in answers:
        kafka.answers = [refusal]
        offsets.note([record(0, 4)])
        await offsets.commit()
        await offsets.commit()
        assert kafka.commits == commits


async def test_without_a_consumer_there_is_nothing_to_commit() -> None:
    async def settle() -> None: ...

    offsets = Offsets("claims.v1", lambda: None, settle)
    offsets.note([record(0, 4)])
    await offsets.commit()
    await offsets.on_partitions_revoked(set())
    offsets.measure_lag()

"""Batches side by side: a partition's records, and so a member's, stay in one lane and in their order."""

from hypothesis import given
from hypothesis import strategies as st

from shared.consumer import lanes_of
from shared.events.record import Record


@given(st.lists(st.integers(0, 11), max_size=60), st.integers(1, 5))
def test_no_partition_is_in_two_lanes_and_none_is_out_of_order(partitions: list[int], count: int) -> None:
    records = [Record("claims.v1", partition, offset, b"", b"", ()) for offset, partition in enumerate(partitions)]
    lanes = lanes_of(records, count)
    assert len(lanes) == count
    assert sorted((r for lane in lanes for r in lane), key=lambda r: r.offset) == records
    for lane in lanes:
        assert [r.offset for r in lane] == sorted(r.offset for r in lane)
    for partition in set(partitions):
        assert sum(any(r.partition == partition for r in lane) for lane in lanes) == 1


@given(st.sets(st.integers(0, 11), min_size=2), st.integers(2, 5))
def test_every_lane_has_work_where_there_are_partitions_enough(partitions: set[int], count: int) -> None:
    lanes = lanes_of([Record("claims.v1", partition, 0, b"", b"", ()) for partition in partitions], count)
    assert sum(bool(lane) for lane in lanes) == min(count, len(partitions))

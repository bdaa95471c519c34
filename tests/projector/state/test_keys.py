"""Keys: as docs/state-keys.md has them, one to one, in the order the fold scans in."""

from hypothesis import given
from hypothesis import strategies as st

from projector.frames import ShardId
from projector.state import keys
from schemas.ids import UUID_BASE, PointId, from_key
from tests.schemas.strategies import point_ids

shards = st.builds(ShardId, st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
offsets = st.integers(0, 2**63 - 1)
SHARD = ShardId(0x0102030405060708, 0x0A0B0C0D)


def test_the_bytes() -> None:
    shard = bytes.fromhex("0102030405060708 0a0b0c0d")
    uuid = PointId(UUID_BASE + 0xFF)
    assert keys.shard_key(SHARD) == b"s" + shard
    assert keys.point_key(SHARD, PointId(258)) == b"p" + shard + bytes.fromhex("00 0000000000000102")
    assert keys.point_key(SHARD, uuid) == b"p" + shard + b"\x01" + bytes(15) + b"\xff"
    assert keys.changed_key(SHARD, 5, 2) == b"c" + shard + bytes.fromhex("0000000000000005 00000002")
    assert keys.outcome_key(5) == b"o" + bytes.fromhex("0000000000000005")
    assert keys.sealed_key(SHARD) == b"w" + shard


@given(shards, offsets, st.integers(0, 2**32 - 1))
def test_what_is_in_a_key_is_read_back(shard: ShardId, offset: int, chunk: int) -> None:
    assert keys.shard_from_bytes(keys.shard_bytes(shard)) == shard
    assert keys.changed_offset(keys.changed_key(shard, offset, chunk)) == offset
    assert keys.outcome_offset(keys.outcome_key(offset)) == offset


@given(shards, point_ids)
def test_the_id_is_at_its_place(shard: ShardId, point_id: PointId) -> None:
    assert from_key(keys.point_key(shard, point_id)[keys.POINT_ID_AT :]) == point_id


@given(shards, shards, point_ids, point_ids)
def test_points_sort_by_shard_and_id(one: ShardId, other: ShardId, first: PointId, second: PointId) -> None:
    in_order = (one, first) < (other, second)
    assert (keys.point_key(one, first) < keys.point_key(other, second)) == in_order


@given(shards, st.tuples(offsets, st.integers(0, 2**32 - 1)), st.tuples(offsets, st.integers(0, 2**32 - 1)))
def test_changed_ids_sort_by_offset_and_chunk(shard: ShardId, one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (keys.changed_key(shard, *one) < keys.changed_key(shard, *other)) == (one < other)

"""Digests: the same for the same points, in whatever order; another for any difference."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.fold.effects import ShardMeta
from projector.frames import ShardId
from projector.state.digest import ShardDigest, digest_points, digest_shard
from schemas.ids import PointId
from tests.projector.fold.memory_state import CONFIG
from tests.projector.fold.one import One, commit
from tests.projector.state.samples import open_state
from tests.schemas.strategies import point_ids

points = st.dictionaries(point_ids, st.binary(max_size=20), max_size=6)
Points = dict[PointId, bytes]


@given(points, st.randoms())
def test_the_order_does_not_matter(found: Points, random: Random) -> None:
    shuffled = list(found.items())
    random.shuffle(shuffled)
    assert digest_points(shuffled) == digest_points(found.items())


@given(points, points)
def test_other_points_have_another_digest(one: Points, other: Points) -> None:
    assert (digest_points(one.items()) == digest_points(other.items())) == (one == other)


@given(points, point_ids, st.binary(max_size=20))
def test_a_point_counted_twice_shows(found: Points, point_id: PointId, value: bytes) -> None:
    rows = list(found.items())
    twice = [(point_id, value), (point_id, value)]
    assert digest_points(rows) != digest_points(rows + twice)


def test_bytes_do_not_move_between_id_and_value() -> None:
    number, uuid = PointId(0), PointId(1 << 64)
    assert digest_points([(number, bytes(8))])[1] != digest_points([(uuid, b"")])[1]


def test_the_value_is_stable() -> None:
    assert digest_points([]) == (0, "0" * 32)
    assert digest_points([(PointId(42), b"stored")]) == (1, "6cf17f4e5fa41dd32bda5978e3a13ee4")


def test_a_shard_has_a_digest(tmp_path: Path) -> None:
    shard = ShardId(7, 0)
    state = open_state(tmp_path)
    with pytest.raises(KeyError):
        digest_shard(state, shard)
    meta = ShardMeta("things", CONFIG, [0], version=9)
    commit(state, One(shard=shard, points={PointId(42): b"stored"}, meta=meta), 0, b"")
    assert digest_shard(state, shard) == ShardDigest("things", 0, 1, 9, digest_points([(PointId(42), b"stored")])[1])
    state.close()

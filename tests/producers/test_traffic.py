"""The traffic is labelled rightly: what is called malformed can't be read, the rest says what it is said to."""

import json
from collections import Counter, defaultdict
from random import Random
from typing import Any

import numpy as np
import pytest

from ingest.foreign import ForeignWrite
from ingest.log import LogRecord
from ingest.points_topic import decode_points_record
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.errors import HeadwaterError, NotFoundError
from schemas.ids import parse_point_id
from schemas.operations import Operation
from schemas.points import decode_point
from schemas.records import ShardOpened
from tests.producers.malformed import MALFORMED
from tests.producers.messages import Message, from_line, to_line
from tests.producers.target import Target
from tests.producers.traffic import Traffic
from tests.projector.fold.memory_state import SHARD, MemoryState

TARGETS = [Target("unnamed", 4), Target("named", {"text": 3, "image": 2})]
either = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.collection)


def config_of(target: Target) -> CollectionConfig:
    sizes = {"": target.vectors} if isinstance(target.vectors, int) else target.vectors
    return CollectionConfig(vectors={name: VectorParams(size, Distance.DOT) for name, size in sizes.items()})


def operations_of(message: Message, config: CollectionConfig, collection: str) -> list[Operation]:
    """What a message says of ``collection``. Raises HeadwaterError."""
    record = LogRecord(0, 0, 0, message.key, message.value, message.headers)
    write = decode_points_record(record)
    if not isinstance(write, ForeignWrite):
        raise AssertionError("this is a canonical record")
    if write.collection != collection:
        raise NotFoundError(f"there is no collection {write.collection}")
    return write.operations(config)


def points_in(state: MemoryState, config: CollectionConfig) -> dict[int, tuple[dict[str, list[float]], Any]]:
    """Vectors and payload of every point."""
    names = list(config.vectors)
    found: dict[int, tuple[dict[str, list[float]], Any]] = {}
    for point_id, value in state.scan(SHARD, None):
        point = decode_point(value)
        vectors = {names[i]: np.frombuffer(data, "<f4").tolist() for i, data in point.vectors.items()}
        found[int(point_id)] = (vectors, json.loads(point.payload or b"{}"))
    return found


@either
@pytest.mark.parametrize("kind", sorted(MALFORMED))
def test_what_is_malformed_is_refused(target: Target, kind: str) -> None:
    config = config_of(target)
    for seed in range(20):
        message = MALFORMED[kind](Random(seed), target)
        with pytest.raises(HeadwaterError):
            operations_of(message, config, target.collection)


@either
def test_the_rest_makes_the_points_that_are_expected(target: Target) -> None:
    config = config_of(target)
    state = MemoryState()
    state.apply(
        ShardOpened(seq=1, uid=SHARD.uid, shard=SHARD.shard, name=target.collection, config=config, shard_map=[0])
    )
    traffic = Traffic(target, seed=3, first_id=5000, points=100)
    for sent in traffic.messages(3000):
        if not sent.rejected:
            outcomes = state.run(*operations_of(sent.message, config, target.collection))
            assert all(outcome.applied for outcome in outcomes), (sent, outcomes)
    expected = {
        int(parse_point_id(point_id)): (
            point.vector if isinstance(point.vector, dict) else {"": point.vector},
            point.payload,
        )
        for point_id, point in traffic.expected.items()
    }
    assert points_in(state, config) == expected
    assert all(traffic.owns(point_id) for point_id in traffic.expected)


@either
def test_traffic_is_mixed_repeatable_and_ordered(target: Target) -> None:
    sent = list(Traffic(target, seed=3, points=100).messages(10_000))
    assert sent == list(Traffic(target, seed=3, points=100).messages(10_000))
    assert sent[:100] != list(Traffic(target, seed=4, points=100).messages(100))
    bad = Counter(item.kind for item in sent if item.rejected)
    assert bad.keys() == MALFORMED.keys()
    assert 400 < bad.total() < 600
    assert {item.kind for item in sent if not item.rejected} >= {"connector", "tombstone", "operations", "batch"}
    assert all(from_line(to_line(item.message)) == item.message for item in sent)
    keys: defaultdict[object, list[bytes | None]] = defaultdict(list)
    for item in sent:
        for point_id in {point_id for point_id, _ in item.changes}:
            keys[point_id].append(item.message.key)
    assert all(used == [None] or (len(set(used)) == 1 and None not in used) for used in keys.values())


def test_traffics_of_other_ids_have_nothing_in_common() -> None:
    first, second = (Traffic(TARGETS[0], seed=3, first_id=i, id_space=5000) for i in (0, 5000))
    list(first.messages(2000))
    list(second.messages(2000))
    assert not first.expected.keys() & second.expected.keys()
    assert not any(first.owns(point_id) for point_id in second.expected)

"""No record, however odd, ends the projector: the fold rejects what it can't apply."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadInputError
from schemas.records import PartitionRecord, PointsRecord, decode_partition_record, encode_record
from tests.projector.fold import strategies
from tests.projector.fold.memory_state import OPENED, MemoryState, opened, upsert
from tests.schemas import record_strategies

_keys = st.sampled_from(
    ["type", "v", "uid", "shard", "ops", "op", "ids", "vectors", "filter", "payload", "key", "must"]
)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.datetimes(),
    st.builds(msgspec.msgpack.Ext, st.integers(-100, 127), st.binary(max_size=9)),
    st.sampled_from(["points", "upsert", "delete", "set_payload", "image"]),
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys | st.text(max_size=2), inner, max_size=4),
    max_leaves=8,
)


def _apply(state: MemoryState, value: bytes) -> None:
    try:
        record = decode_partition_record(value)
    except BadInputError:
        return
    state.apply(record, chunk=2)


@given(st.lists(record_strategies.partition_records, max_size=4))
def test_records_with_any_operations_are_folded(records: list[PartitionRecord]) -> None:
    state = opened()
    state.run(upsert({1: {"a": 1}, 2: None}))
    for record in records:
        if isinstance(record, PointsRecord):
            record = msgspec.structs.replace(record, uid=7, shard=0)
        _apply(state, encode_record(record))


@given(st.lists(st.tuples(strategies.records, st.integers(0, 10_000), st.binary(min_size=1, max_size=3)), max_size=4))
def test_damaged_records_are_folded_or_refused(damaged: list[tuple[PartitionRecord, int, bytes]]) -> None:
    state = opened()
    state.run(upsert({1: {"a": 1}, 2: None}))
    for record, at, replacement in damaged:
        value = encode_record(record)
        at %= len(value)
        _apply(state, value[:at] + replacement + value[at + len(replacement) :])


@given(operations=st.lists(st.dictionaries(_keys, _values, max_size=5), max_size=3))
def test_operations_of_any_shape_are_folded_or_refused(operations: list[dict[str, object]]) -> None:
    record = {"type": "points", "v": 1, "uid": 7, "shard": 0, "ops": operations}
    state = opened()
    _apply(state, msgspec.msgpack.encode(record))


@given(filter=st.dictionaries(st.sampled_from(["must", "should", "must_not"]), _values, max_size=3))
def test_filters_of_any_shape_are_folded_or_refused(filter: dict[str, object]) -> None:
    record = {"type": "points", "v": 1, "uid": 7, "shard": 0, "ops": [{"op": "delete", "filter": filter}]}
    state = opened()
    state.run(upsert({1: {"a": 1}, 2: None}))
    _apply(state, msgspec.msgpack.encode(record))


@given(st.binary(max_size=200))
def test_any_bytes_are_folded_or_refused(value: bytes) -> None:
    state = MemoryState()
    state.apply(OPENED)
    _apply(state, value)

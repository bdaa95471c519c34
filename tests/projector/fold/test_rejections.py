"""Operations that break a rule: nothing of them is applied, what came before stays, and the outcome says why.

One that names missing points is rejected, too, and has changed those that are there.
"""

import math
from typing import Any
from uuid import UUID

import msgspec
import pytest

from projector.fold.outcomes import APPLIED, SKIPPED
from schemas.ids import UUID_BASE
from schemas.operations import (
    ClearPayload,
    DeletePayload,
    DeletePoints,
    DeleteVectors,
    Operation,
    Outcome,
    OverwritePayload,
    SetPayload,
    UpdateVectors,
    Upsert,
)
from schemas.records import PointsRecord
from schemas.vectors.dense import DenseColumn
from tests.projector.fold.memory_state import MemoryState, column, floats, match, opened, points_record, upsert

_DEEP = b'{"a":' * 70 + b"1" + b"}" * 70
_UUID = (1).to_bytes(16, "big")


def _state() -> MemoryState:
    state = opened()
    state.run(upsert({1: {"a": 1}, 2: {"a": 2}}))
    return state


BAD: list[tuple[Operation, int, str]] = [
    (Upsert([1], {"nope": column([1])}), 400, "Not existing vector name error: nope"),
    (Upsert([1], {"": column([1])}), 400, "named vectors (image, text)"),
    (Upsert([1], {"image": column([1, 2, 3])}), 400, "Vector dimension error: expected dim: 2, got 3"),
    (Upsert([1, 2], {"image": column([1, 2])}), 400, "1 values for 2 points"),
    (Upsert([1], {"image": DenseColumn(2, b"1234567")}), 400, "7 bytes, no multiple of 8"),
    (Upsert([1], {"image": DenseColumn(2, floats(math.nan, 1))}), 400, "NaN or infinite"),
    (Upsert([1], {"image": DenseColumn(2, floats(1, -math.inf))}), 400, "NaN or infinite"),
    (Upsert([1, 2], {"image": column([1, 1], [1, 1], of=[1, 0])}), 400, "not ascending positions"),
    (Upsert([1, 2], {"image": column([1, 1], of=[2])}), 400, "not ascending positions"),
    (Upsert([1, 2], {"image": column([1, 1], of=[-1])}), 400, "not ascending positions"),
    (Upsert([1], {}, [b"{}", b"{}"]), 400, "1 ids but 2 payloads"),
    (Upsert([1, 2], {}, [b'{"a":1}', b"[1]"]), 400, "payload is not a JSON object"),
    (Upsert([1], {}, [b'{"a":1'], None), 400, "payload is not a JSON object"),
    (Upsert([1], {}, [b'{"a":"\xff"}']), 400, "payload is not a JSON object"),
    (Upsert([1], {}, [_DEEP]), 400, "nested deeper than 64 levels"),
    (Upsert([-1], {}), 400, "value -1 is not a valid point ID"),
    (Upsert([b"short"], {}), 400, "a UUID has 16 bytes, not 5"),
    (Upsert([1], {}, update_filter={"must": [{"key": "a", "mach": {"value": 1}}]}), 400, "filter.must[0]"),
    (UpdateVectors([1], {"text": column([1, 1])}), 400, "expected dim: 1, got 2"),
    (DeleteVectors(["image", "nope"], ids=[1]), 400, "Not existing vector name error: nope"),
    (SetPayload(b"null", ids=[1]), 400, "payload is not a JSON object"),
    (SetPayload(b'{"x":1}', key="a..b", ids=[1]), 400, "Invalid json path: 'a..b'"),
    (SetPayload(b'{"a":' * 63 + b"{}" + b"}" * 63, key="a.b", ids=[1]), 400, "nested deeper than"),
    (OverwritePayload(b"[]", ids=[1]), 400, "payload is not a JSON object"),
    (DeletePayload(["a", "["], ids=[1]), 400, "Invalid json path: '['"),
    (DeletePoints(), 400, "by ids or by a filter, one of them"),
    (DeletePoints(ids=[1], filter={}), 400, "by ids or by a filter, one of them"),
    (DeletePoints(filter={"must": {"key": "a"}}), 422, "filter.must"),
    (DeletePoints(ids=[1, -2]), 400, "value -2 is not a valid point ID"),
    (ClearPayload(filter={"nope": []}), 400, "filter"),
]


@pytest.mark.parametrize("chunk", [1, 2000])
@pytest.mark.parametrize(("operation", "status", "text"), BAD)
def test_a_bad_operation_is_rejected_whole(operation: Operation, status: int, text: str, chunk: int) -> None:
    state = _state()
    before = dict(state.payloads()), state.versions()
    outcomes = state.run(operation, chunk=chunk)
    assert [outcome.status for outcome in outcomes] == [status]
    assert text in str(outcomes[0].reason)
    assert (state.payloads(), state.versions()) == before


@pytest.mark.parametrize("chunk", [1, 2000])
@pytest.mark.parametrize(("operation", "status", "text"), BAD)
def test_earlier_operations_stay_and_later_ones_are_skipped(
    operation: Operation, status: int, text: str, chunk: int
) -> None:
    state = _state()
    outcomes = state.run(upsert({5: {"a": 5}}), operation, SetPayload(b'{"x":1}', filter=match("a", 2)), chunk=chunk)
    assert [outcome.status for outcome in outcomes] == [0, status, 400]
    assert text in (outcomes[1].reason or "")
    assert outcomes[2] == SKIPPED
    assert state.payloads() == {1: {"a": 1}, 2: {"a": 2}, 5: {"a": 5}}
    assert state.versions() == {1: 1, 2: 1, 5: 2}
    later = state.run(SetPayload(b'{"x":1}', filter=match("a", 2)), chunk=chunk)
    assert later == [APPLIED]
    assert state.versions() == {1: 1, 2: 3, 5: 2}


MISSING: list[tuple[Operation, str, dict[int, Any]]] = [
    (UpdateVectors([1, 3], {"text": column([1], [1])}), "3", {1: {"a": 1}}),
    (DeleteVectors(["image"], ids=[1, 3, 4]), "3", {1: {"a": 1}}),
    (SetPayload(b'{"x":1}', ids=[2, 1, _UUID]), str(UUID(int=1)), {1: {"a": 1, "x": 1}, 2: {"a": 2, "x": 1}}),
    (OverwritePayload(b'{"x":1}', ids=[3, 1]), "3", {1: {"x": 1}}),
    (DeletePayload(["a"], ids=[4, 3, 1, 1]), "4", {1: None}),
    (ClearPayload(ids=[1, 3, 2]), "3", {1: None, 2: None}),
    (SetPayload(b'{"x":1}', ids=[9]), "9", {}),
]


@pytest.mark.parametrize("chunk", [1, 2000])
@pytest.mark.parametrize(("operation", "first", "changed"), MISSING)
def test_an_operation_that_names_missing_points_changes_the_others(
    operation: Operation, first: str, changed: dict[int, Any], chunk: int
) -> None:
    state = _state()
    outcomes = state.run(upsert({5: {"a": 5}}), operation, SetPayload(b'{"x":9}', filter={}), chunk=chunk)
    assert outcomes == [APPLIED, Outcome(f"Not found: No point with id {first} found", 404), SKIPPED]
    assert state.payloads() == {1: {"a": 1}, 2: {"a": 2}, 5: {"a": 5}} | changed
    assert state.versions() == {1: 1, 2: 1, 5: 2} | dict.fromkeys(changed, 3)
    assert state.run(SetPayload(b'{"x":1}', ids=[5]), chunk=chunk) == [APPLIED]
    assert state.versions()[5] == 4


def test_an_id_that_an_earlier_operation_deleted_is_not_found() -> None:
    state = _state()
    outcomes = state.run(DeletePoints(ids=[1]), upsert({1: None}), SetPayload(b"{}", ids=[1]))
    assert [outcome.status for outcome in outcomes] == [0, 0, 0]
    outcomes = state.run(DeletePoints(ids=[1]), SetPayload(b"{}", ids=[1]))
    assert [outcome.status for outcome in outcomes] == [0, 404]


def test_points_of_an_unknown_shard_are_rejected() -> None:
    state = _state()
    (effects,) = state.apply(PointsRecord(uid=8, shard=0, ops=[upsert({1: None}), DeletePoints(ids=[1])]))
    assert effects.outcomes == [Outcome("Not found: the collection doesn't exist any more", 404)] * 2
    assert effects.shard is None
    assert state.apply(PointsRecord(uid=7, shard=1, ops=[]))[0].outcomes == []


def test_ids_at_the_ends_of_their_ranges_are_accepted() -> None:
    state = opened()
    state.run(upsert({0: None, UUID_BASE - 1: None, UUID_BASE: None, UUID_BASE + (1 << 128) - 1: None}))
    assert len(state.payloads()) == 4


@pytest.mark.parametrize(
    "filter",
    [
        {"must": [{"key": "a", "match": {"value": b"bytes"}}]},
        {"must": [{"has_id": [b"\0" * 16]}]},
        {"must": [{"key": "a", "range": {"gt": math.nan}}]},
        {b"must": []},
        {"must": {1: 2}},
        {"must": [{"key": "a", "match": {"value": msgspec.msgpack.Ext(5, b"x")}}]},
    ],
)
def test_filters_that_json_could_not_say_are_rejected_or_match_nothing(filter: dict[Any, Any]) -> None:
    state = _state()
    (outcome,) = state.run(DeletePoints(filter=filter))
    assert outcome.status in (0, 400)
    assert len(state.payloads()) == 2


def test_a_record_without_operations_does_nothing() -> None:
    (effects,) = _state().apply(points_record())
    assert (effects.points, effects.outcomes, effects.meta) == ({}, [], None)

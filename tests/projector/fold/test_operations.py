"""What each operation does to points."""

from uuid import UUID

import msgspec
import pytest

from projector.frames import Changes
from schemas.ids import UUID_BASE, PointId
from schemas.operations import (
    ClearPayload,
    DeletePayload,
    DeletePoints,
    DeleteVectors,
    Operation,
    Outcome,
    OverwritePayload,
    SetPayload,
    UpdateMode,
    UpdateVectors,
    Upsert,
)
from schemas.points import StoredPoint
from tests.projector.fold.memory_state import SHARD, MemoryState, column, floats, match, opened, points_record, upsert

EVERYTHING: dict[str, object] = {}


def _three() -> MemoryState:
    state = opened()
    both = {"image": column([1, 1], [2, 2], [3, 3]), "text": column([1], [3], of=[0, 2])}
    state.run(Upsert([1, 2, 3], both, [b'{"a":1}', b'{"a":2,"b":{"c":1}}', b""]))
    return state


def test_upsert_keeps_vectors_bit_for_bit_and_payloads_as_text() -> None:
    state = opened()
    uuid = UUID(int=5).bytes
    data = floats(-0.0, 1e-45)
    operation = Upsert([9, uuid], {"image": column([1, 2], [0, 0]), "text": column([4], of=[1])}, [b"", b'{ "a" :1.0}'])
    vector = msgspec.structs.replace(operation.vectors["image"], data=floats(1, 2) + data)
    state.run(msgspec.structs.replace(operation, vectors={"text": operation.vectors["text"], "image": vector}))
    assert state.point(9) == StoredPoint(1, {0: floats(1, 2)}, b"")
    assert state.point(UUID_BASE + 5) == StoredPoint(1, {0: data, 1: floats(4)}, b'{ "a" :1.0}')


def test_upsert_replaces_the_whole_point() -> None:
    state = _three()
    assert state.run(Upsert([1], {"text": column([7])})) == [Outcome()]
    assert state.point(1) == StoredPoint(2, {1: floats(7)}, b"")


def test_the_last_of_equal_ids_wins() -> None:
    state = opened()
    state.run(Upsert([1, 1], {"image": column([1, 1], [2, 2])}, [b'{"a":1}', b'{"a":2}']))
    assert state.point(1) == StoredPoint(1, {0: floats(2, 2)}, b'{"a":2}')


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (UpdateMode.UPSERT, {1: "new", 2: {"a": 2, "b": {"c": 1}}, 3: None, 4: "new"}),
        (UpdateMode.INSERT_ONLY, {1: {"a": 1}, 2: {"a": 2, "b": {"c": 1}}, 3: None, 4: "new"}),
        (UpdateMode.UPDATE_ONLY, {1: "new", 2: {"a": 2, "b": {"c": 1}}, 3: None}),
    ],
)
def test_upsert_writes_the_points_that_its_mode_admits(mode: UpdateMode, expected: dict[int, object]) -> None:
    state = _three()
    state.run(upsert({1: {"x": "new"}, 4: {"x": "new"}}, update_mode=mode))
    found = state.payloads()
    assert {i: p["x"] if p and "x" in p else p for i, p in found.items()} == expected


def test_upsert_with_a_filter_replaces_points_that_match_and_inserts_new_ones() -> None:
    state = _three()
    state.run(upsert({1: {"x": 1}, 2: {"x": 1}, 4: {"x": 1}}, update_filter=match("a", 2)))
    assert state.payloads() == {1: {"a": 1}, 2: {"x": 1}, 3: None, 4: {"x": 1}}


def test_the_filter_of_an_upsert_sees_the_operations_before_it() -> None:
    state = _three()
    state.run(SetPayload(b'{"a":2}', ids=[1]), upsert({1: {"x": 1}}, update_filter=match("a", 2)))
    assert state.payloads()[1] == {"x": 1}


def test_update_vectors_leaves_the_others_and_the_payload() -> None:
    state = _three()
    operation = UpdateVectors([1, 2], {"text": column([8], [9]), "image": column([5, 5], of=[1])})
    state.run(operation)
    assert state.point(1) == StoredPoint(2, {0: floats(1, 1), 1: floats(8)}, b'{"a":1}')
    assert state.point(2) == StoredPoint(2, {0: floats(5, 5), 1: floats(9)}, b'{"a":2,"b":{"c":1}}')


def test_update_vectors_with_a_filter_passes_over_points_that_do_not_match() -> None:
    state = _three()
    state.run(UpdateVectors([1, 2], {"text": column([8], [9])}, update_filter=match("a", 1)))
    assert state.versions() == {1: 2, 2: 1, 3: 1}


@pytest.mark.parametrize("by_filter", [False, True])
@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (SetPayload(b'{"a":9,"d":null}'), {"a": 9, "b": {"c": 1}}),
        (SetPayload(b'{"e":2}', key="b"), {"a": 2, "b": {"c": 1, "e": 2}}),
        (OverwritePayload(b'{"z":1}'), {"z": 1}),
        (OverwritePayload(b"{}"), None),
        (OverwritePayload(b'{"z":1}', key="b.c"), {"a": 2, "b": {"c": {"z": 1}}}),
        (DeletePayload(["b.c", "nothing"]), {"a": 2, "b": {}}),
        (DeletePayload(["a", "b"]), None),
        (ClearPayload(), None),
    ],
)
def test_payload_operations(operation: Operation, expected: object, by_filter: bool) -> None:
    state = _three()
    named = {"filter": match("a", 2)} if by_filter else {"ids": [2]}
    state.run(msgspec.structs.replace(operation, **named))
    assert state.payloads() == {1: {"a": 1}, 2: expected, 3: None}
    assert state.versions() == {1: 1, 2: 2, 3: 1}
    point = state.point(2)
    assert point is not None
    assert point.vectors == {0: floats(2, 2)}


@pytest.mark.parametrize("by_filter", [False, True])
def test_delete_vectors_keeps_the_point(by_filter: bool) -> None:
    state = _three()
    named = {"filter": EVERYTHING} if by_filter else {"ids": [1, 2, 3]}
    state.run(msgspec.structs.replace(DeleteVectors(["image"]), **named))
    assert state.point(1) == StoredPoint(2, {1: floats(1)}, b'{"a":1}')
    assert state.point(2) == StoredPoint(2, {}, b'{"a":2,"b":{"c":1}}')


@pytest.mark.parametrize("by_filter", [False, True])
def test_delete_points(by_filter: bool) -> None:
    state = _three()
    named = {"filter": {"must": [{"has_id": [1, 3]}]}} if by_filter else {"ids": [1, 3, 77]}
    state.run(msgspec.structs.replace(DeletePoints(), **named))
    assert list(state.payloads()) == [2]


def test_a_filter_sees_the_operations_before_it_in_thepoints_record() -> None:
    state = _three()
    outcomes = state.run(
        upsert({4: {"a": 1}}),
        DeletePoints(ids=[2]),
        SetPayload(b'{"seen":true}', filter=match("a", 1)),
        DeletePoints(filter={"must_not": [{"key": "seen", "match": {"value": True}}]}),
    )
    assert all(outcome.applied for outcome in outcomes)
    assert state.payloads() == {1: {"a": 1, "seen": True}, 4: {"a": 1, "seen": True}}


def test_every_operation_that_may_change_points_has_one_version_and_they_are_dense() -> None:
    state = _three()
    outcomes = state.run(
        SetPayload(b'{"x":1}', ids=[1]),
        SetPayload(b'{"x":1}', filter=match("a", 2)),
        DeletePoints(filter=match("a", "nothing")),
        SetPayload(b'{"x":1}', ids=[404]),
        chunk=1,
    )
    assert [outcome.applied for outcome in outcomes] == [True, True, True, False]
    assert state.run(SetPayload(b'{"x":1}', ids=[3]))[0].applied
    assert state.versions() == {1: 2, 2: 3, 3: 6}
    assert state.metas[SHARD].version == 6


def test_the_changes_of_a_record_are_one_event_with_points_as_they_end_up() -> None:
    state = _three()
    (effects,) = state.apply(
        points_record(upsert({1: {"x": 1}, 5: None}), DeletePoints(ids=[5, 2]), SetPayload(b'{"y":2}', ids=[1]))
    )
    (event,) = effects.events
    assert isinstance(event, Changes)
    assert event.shard == SHARD
    assert sorted(i for i in event.ids if isinstance(i, int)) == [1, 2, 5]
    found = dict(zip(event.ids, event.points, strict=True))
    assert found[2] is None
    assert found[5] is None
    assert found[1] == state.stored[SHARD][PointId(1)]


def test_an_operation_that_changes_nothing_gives_no_event() -> None:
    (effects,) = _three().apply(points_record(DeletePoints(ids=[404])))
    assert effects.events == []
    assert effects.points == {}

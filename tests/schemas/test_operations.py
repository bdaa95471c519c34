"""Operations and outcomes as values on the wire."""

import msgspec
from hypothesis import given

from schemas.operations import Operation, Outcome, UpdateMode
from tests.schemas.record_strategies import operations


@given(operations)
def test_operations_read_back(op: Operation) -> None:
    data = msgspec.msgpack.encode(op)
    assert msgspec.msgpack.decode(data, type=Operation) == op
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(data, type=Operation)) == data


@given(operations)
def test_an_operation_says_its_name(op: Operation) -> None:
    names = {
        "upsert",
        "update_vectors",
        "delete_vectors",
        "set_payload",
        "overwrite_payload",
        "delete_payload",
        "clear_payload",
        "delete",
    }
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(op))["op"] in names


def test_update_modes() -> None:
    assert [mode.value for mode in UpdateMode] == ["upsert", "insert_only", "update_only"]


def test_an_outcome_is_applied_unless_it_has_a_reason() -> None:
    applied, rejected = Outcome(), Outcome("no such point", 404)
    assert applied.applied
    assert not rejected.applied
    assert msgspec.msgpack.encode(applied) == b"\x80"
    for outcome in (applied, rejected):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(outcome), type=Outcome) == outcome

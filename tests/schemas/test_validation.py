"""The rules of operations: what passes, what is refused and with which words."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given

from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.errors import BadInputError, UnprocessableError
from schemas.json_path import parse_path
from schemas.nesting import MAX_DEPTH, check_depth
from schemas.operations import (
    ClearPayload,
    DeletePayload,
    DeletePoints,
    DeleteVectors,
    Operation,
    OverwritePayload,
    SetPayload,
    UpdateVectors,
    Upsert,
)
from schemas.payload_edit import set_payload
from schemas.validation import check_operation, check_payloads, decode_payload
from schemas.vectors.dense import DenseColumn
from tests.schemas import strategies

PLAIN = CollectionConfig(vectors={"": VectorParams(2, Distance.DOT)})
NAMED = CollectionConfig(vectors={"image": VectorParams(2, Distance.DOT), "text": VectorParams(3, Distance.COSINE)})
FILTER: dict[str, Any] = {"must": {"key": "a", "match": {"value": 1}}}
BAD_FILTER: dict[str, Any] = {"must": {"key": "a"}}


def column(*values: float, dim: int = 2, rows: list[int] | None = None) -> DenseColumn:
    return DenseColumn(dim, np.array(values, "<f4").tobytes(), rows)


ONE = column(1, 2)


@pytest.mark.parametrize(
    ("config", "op"),
    [
        (PLAIN, Upsert(ids=[], vectors={})),
        (PLAIN, Upsert(ids=[1], vectors={})),
        (PLAIN, Upsert(ids=[1, bytes(16)], vectors={"": column(1, 2, 3, 4)}, payloads=[b"", b"{}"])),
        (PLAIN, Upsert(ids=[1, 2], vectors={"": column(1, 2, rows=[1])}, update_filter=FILTER)),
        (PLAIN, Upsert(ids=[1, 1], vectors={"": column(1, 2, 3, 4, rows=[0, 1])})),
        (NAMED, Upsert(ids=[1], vectors={"image": ONE, "text": column(1, 2, 3, dim=3)})),
        (NAMED, UpdateVectors(ids=[1], vectors={"image": ONE})),
        (NAMED, DeleteVectors(names=["image", "text"], ids=[1])),
        (PLAIN, SetPayload(payload=b"{}", ids=[])),
        (PLAIN, SetPayload(payload=b"{}", key="a[0].b", filter=FILTER)),
        (PLAIN, OverwritePayload(payload=b"{}", key="a", ids=[1])),
        (PLAIN, DeletePayload(keys=["a", '"b c"'], ids=[1])),
        (PLAIN, ClearPayload(filter={})),
        (PLAIN, DeletePoints(ids=[2**64 - 1])),
    ],
)
def test_passes(config: CollectionConfig, op: Operation) -> None:
    check_operation(config, op)
    check_payloads(op)


@pytest.mark.parametrize(
    ("config", "op", "problem"),
    [
        (PLAIN, Upsert(ids=[-1], vectors={}), "value -1 is not a valid point ID"),
        (PLAIN, Upsert(ids=[b"short"], vectors={}), "a UUID has 16 bytes"),
        (PLAIN, Upsert(ids=[1], vectors={"x": ONE}), "Not existing vector name error: x"),
        (NAMED, Upsert(ids=[1], vectors={"": ONE}), r"this collection has named vectors \(image, text\)"),
        (PLAIN, Upsert(ids=[1], vectors={"": column(1, 2, 3, dim=3)}), "expected dim: 2, got 3"),
        (PLAIN, Upsert(ids=[1, 2], vectors={"": ONE}), "has 1 values for 2 points"),
        (PLAIN, Upsert(ids=[1], vectors={"": DenseColumn(2, b"1234567")}), "has 7 bytes, no multiple of 8"),
        (PLAIN, Upsert(ids=[1], vectors={"": column(1, 2, rows=[1])}), "not ascending positions"),
        (PLAIN, Upsert(ids=[1], vectors={"": column(1, 2, rows=[-1])}), "not ascending positions"),
        (PLAIN, Upsert(ids=[1, 2], vectors={"": column(1, 2, 3, 4, rows=[1, 0])}), "not ascending positions"),
        (PLAIN, Upsert(ids=[1, 2], vectors={"": column(1, 2, 3, 4, rows=[0, 0])}), "not ascending positions"),
        (PLAIN, Upsert(ids=[1], vectors={"": column(1, float("nan"))}), "NaN or infinite"),
        (PLAIN, Upsert(ids=[1], vectors={"": column(float("inf"), 1)}), "NaN or infinite"),
        (PLAIN, Upsert(ids=[1], vectors={}, payloads=[]), "1 ids but 0 payloads"),
        (PLAIN, Upsert(ids=[1], vectors={}, update_filter=BAD_FILTER), "filter.must: Validation error: At least one"),
        (PLAIN, UpdateVectors(ids=[1], vectors={"x": ONE}), "Not existing vector name error: x"),
        (PLAIN, UpdateVectors(ids=[1], vectors={}, update_filter=BAD_FILTER), "At least one field condition"),
        (NAMED, DeleteVectors(names=["x"], ids=[1]), "Not existing vector name error: x"),
        (PLAIN, DeletePoints(), "by ids or by a filter, one of them"),
        (PLAIN, DeletePoints(ids=[], filter={}), "by ids or by a filter, one of them"),
        (PLAIN, DeletePoints(ids=[2**64]), "value 18446744073709551616 is not a valid point ID"),
        (PLAIN, ClearPayload(filter=BAD_FILTER), "At least one field condition"),
        (PLAIN, DeletePayload(keys=["a", "b c"], ids=[1]), "Invalid json path: 'b c'"),
        (PLAIN, SetPayload(payload=b"{}", key="", ids=[1]), "Invalid json path: ''"),
        (PLAIN, OverwritePayload(payload=b"{}", key="a.", ids=[1]), "Invalid json path: 'a.'"),
    ],
)
def test_refuses(config: CollectionConfig, op: Operation, problem: str) -> None:
    with pytest.raises((BadInputError, UnprocessableError), match=problem):
        check_operation(config, op)


@pytest.mark.parametrize(
    "op",
    [
        Upsert([], {}),
        UpdateVectors([], {}),
        DeleteVectors([""], []),
        SetPayload(b"{}", ids=[]),
        OverwritePayload(b"{}", ids=[]),
        DeletePayload([], []),
        ClearPayload([]),
        DeletePoints([]),
    ],
)
def test_every_operation_lists_so_many_points_at_most(op: Operation) -> None:
    check_operation(PLAIN, msgspec.structs.replace(op, ids=[1] * 1_000_000))
    with pytest.raises(BadInputError, match="1000001 points in one operation, at most 1000000"):
        check_operation(PLAIN, msgspec.structs.replace(op, ids=[1] * 1_000_001))


@pytest.mark.parametrize(
    "payload",
    [b"x", b"[]", b"null", b"1", b'{"a":1', b'{"a":NaN}', b'{"a":1e999}', b'{"a":"\xff"}', b"{} {}", b"[" * 9999],
)
def test_a_payload_is_a_json_object(payload: bytes) -> None:
    for op in (Upsert(ids=[1], vectors={}, payloads=[payload]), SetPayload(payload=payload, ids=[1])):
        with pytest.raises(BadInputError, match="payload is not a JSON object"):
            check_payloads(op)


@given(strategies.payloads)
def test_a_payload_is_read_as_it_is(payload: dict[str, Any]) -> None:
    assert decode_payload(msgspec.json.encode(payload)) == payload
    assert decode_payload(b"") == {}


def nested(levels: int) -> dict[str, Any]:
    payload: dict[str, Any] = {"leaf": 1}
    for _ in range(levels - 1):
        payload = {"a": payload}
    return payload


def test_a_payload_is_at_most_so_deep() -> None:
    decode_payload(msgspec.json.encode(nested(MAX_DEPTH)))
    for levels in (MAX_DEPTH + 1, 500, 5000):
        with pytest.raises(BadInputError, match="payload"):
            decode_payload(b'{"a":' * levels + b"1" + b"}" * levels)


def test_many_brackets_are_not_depth() -> None:
    decode_payload(msgspec.json.encode({"a": [[]] * 1000, "b": "[{" * 1000}))


def test_an_edit_never_nests_a_payload_past_the_limit() -> None:
    key = "a.b[0]"
    steps = len(parse_path(key).steps)
    deepest = nested(MAX_DEPTH - steps)
    check_payloads(SetPayload(payload=msgspec.json.encode(deepest), key=key, ids=[1]))
    check_depth(set_payload({"a": {"b": [0]}}, deepest, parse_path(key)))
    with pytest.raises(BadInputError, match="nested deeper"):
        check_payloads(OverwritePayload(payload=msgspec.json.encode({"a": deepest}), key=key, ids=[1]))

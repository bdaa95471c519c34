"""Payload indexes are declared, shown and removed, and say what filters mean from then on."""

from typing import Any

import pytest

from tests.rest.client import Rest

PATH = "/collections/c"
QUICK = {"must": [{"key": "t", "match": {"text": "fox quick"}}]}


@pytest.fixture
def rest(rest: Rest) -> Rest:
    rest.create()
    rest.upsert(*[{"id": n, "vector": [1, 1], "payload": {"t": t}} for n, t in enumerate(["quick fox", "fox", 5])])
    return rest


def declare(rest: Rest, field: str, schema: Any) -> None:
    rest.result("PUT", f"{PATH}/index?wait=true", json={"field_name": field, "field_schema": schema})


def shown(rest: Rest) -> dict[str, Any]:
    return rest.result("GET", PATH)["payload_schema"]


def count(rest: Rest, filter: dict[str, Any]) -> int:
    return rest.result("POST", f"{PATH}/points/count", json={"filter": filter})["count"]


def test_a_declaration_changes_what_a_filter_means(rest: Rest) -> None:
    assert count(rest, QUICK) == 0
    declare(rest, "t", "text")
    assert shown(rest) == {"t": {"data_type": "text", "points": 2}}
    assert count(rest, QUICK) == 1
    rest.result("DELETE", f"{PATH}/index/t?wait=true")
    assert shown(rest) == {}
    assert count(rest, QUICK) == 0


def test_an_operation_by_filter_means_what_a_read_does(rest: Rest) -> None:
    declare(rest, "t", {"type": "text", "tokenizer": "word"})
    rest.result("POST", f"{PATH}/points/delete?wait=true", json={"filter": QUICK})
    assert [point["id"] for point in rest.scroll()] == [1, 2]


def test_a_declaration_that_says_the_same_stays_as_it_was(rest: Rest) -> None:
    declare(rest, "t", {"type": "keyword"})
    declare(rest, "t", "keyword")
    assert shown(rest) == {"t": {"data_type": "keyword", "params": {"type": "keyword"}, "points": 2}}


def test_a_declaration_is_replaced_and_a_missing_one_removed(rest: Rest) -> None:
    declare(rest, '"t"', {"type": "integer", "lookup": True})
    params = {"type": "integer", "lookup": True, "range": None, "is_principal": None}
    assert shown(rest) == {"t": {"data_type": "integer", "params": params, "points": 1}}
    declare(rest, "t", "keyword")
    assert shown(rest) == {"t": {"data_type": "keyword", "points": 2}}
    rest.result("DELETE", f"{PATH}/index/nothing?wait=true")


@pytest.mark.parametrize(
    ("status", "schema", "what"),
    [
        (400, None, "field_schema"),
        (400, "words", "field_schema"),
        (400, {"type": "text", "tokenizer": "letters"}, "tokenizer"),
        (400, {"type": "text", "stopwords": "tajik"}, "tajik"),
        (422, {"type": "integer", "lookup": False, "range": False}, "lookup"),
    ],
)
def test_bad_declarations(rest: Rest, status: int, schema: Any, what: str) -> None:
    assert what in rest.error(status, "PUT", f"{PATH}/index", json={"field_name": "t", "field_schema": schema})
    assert shown(rest) == {}

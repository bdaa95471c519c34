"""Every limit of strict mode: what is within it passes, what is above it is refused, and says which limit it is.

``tests/golden`` has the texts. Here is what was not recorded: sizes, rates, memory.
"""

from typing import Any

import pytest

from ingest.strict import memory as memory_module
from ingest.strict.rates import RateLimits
from schemas.config import CollectionConfig
from schemas.errors import BadInputError, RateLimitedError
from schemas.payload_index import PayloadIndex, TextIndex, UuidIndex
from schemas.strict.filters import check_read_filter
from schemas.strict_mode import StrictModeConfig
from tests.rest.client import MemoryRest

POINTS = "/collections/c/points"
WAIT = {"wait": "true"}
BY_KEY = {"must": [{"key": "k", "match": {"value": "a"}}]}
QUERY: dict[str, Any] = {"query": [1, 1]}
SPARSE = {"indices": [1, 2], "values": [1, 1]}
CONFIG: dict[str, Any] = {
    "vectors": {
        "": {"size": 2, "distance": "Dot"},
        "m": {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}},
    },
    "sparse_vectors": {"s": {}},
}
POINT = {"id": 1, "vector": [1, 2], "payload": {"k": "a"}}

Request = tuple[str, str, Any, dict[str, str]]
LIMITS: dict[str, tuple[Any, Request, str]] = {
    "max_query_limit": (2, ("POST", "/scroll", {"limit": 3}, {}), "limit"),
    "max_timeout": (5, ("POST", "/count", {}, {"timeout": "6"}), "timeout"),
    "unindexed_filtering_retrieve": (False, ("POST", "/count", {"filter": BY_KEY}, {}), "Index required"),
    "unindexed_filtering_update": (False, ("POST", "/delete", {"filter": BY_KEY}, WAIT), "Index required"),
    "search_max_hnsw_ef": (10, ("POST", "/query", {**QUERY, "params": {"hnsw_ef": 11}}, {}), "hnsw_ef"),
    "search_allow_exact": (False, ("POST", "/query", {**QUERY, "params": {"exact": True}}, {}), "Exact"),
    "search_max_oversampling": (
        1.5,
        ("POST", "/query", {**QUERY, "params": {"quantization": {"oversampling": 2}}}, {}),
        "oversampling",
    ),
    "upsert_max_batchsize": (1, ("PUT", "", {"points": [POINT, POINT]}, WAIT), "upsert limit"),
    "search_max_batchsize": (1, ("POST", "/query/batch", {"searches": [QUERY, QUERY]}, {}), "search batch size"),
    "max_collection_vector_size_bytes": (8, ("PUT", "", {"points": [POINT]}, WAIT), "vector storage size limit of 8"),
    "read_rate_limit": (1, ("POST", "/query/batch", {"searches": [QUERY, QUERY]}, {}), "Read rate limit"),
    "write_rate_limit": (1, ("PUT", "", {"points": [POINT]}, WAIT), "Write rate limit"),
    "max_collection_payload_size_bytes": (
        3,
        ("POST", "/payload", {"payload": {"a": 1}, "points": [1]}, WAIT),
        "payload storage size limit of 3",
    ),
    "max_points_count": (1, ("PUT", "", {"points": [{"id": 2, "vector": [1, 1]}]}, WAIT), "points count limit of 1"),
    "filter_max_conditions": (0, ("POST", "/count", {"filter": BY_KEY}, {}), "(1 > 0)"),
    "condition_max_size": (1, ("POST", "/count", {"filter": {"must": [{"has_id": [1, 2]}]}}, {}), "(2 > 1)"),
    "multivector_config": (
        {"m": {"max_vectors": 1}},
        ("PUT", "/vectors", {"points": [{"id": 1, "vector": {"m": [[1, 2.5], [3, 4]]}}]}, WAIT),
        "limit of 1 vectors",
    ),
    "sparse_config": (
        {"s": {"max_length": 1}},
        ("PUT", "", {"points": [{"id": 1, "vector": {"s": SPARSE}}]}, WAIT),
        "limit of 1 indices",
    ),
    "max_payload_index_count": (
        0,
        ("PUT", "/collections/c/index", {"field_name": "k", "field_schema": "uuid"}, {}),
        "0",
    ),
    "max_resident_memory_percent": (1, ("PUT", "", {"points": [POINT]}, WAIT), "Resident memory limit of 1%"),
}


def test_every_limit_is_here() -> None:
    assert {"enabled", *LIMITS} == set(StrictModeConfig.__struct_fields__)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_holds_while_strict_mode_is_enabled(
    memory: MemoryRest, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, (method, path, body, params), text = LIMITS[limit]
    monkeypatch.setattr(memory_module, "resident_percent", lambda: 50.0)
    memory.create(**CONFIG, strict_mode_config={"enabled": False, limit: value})
    memory.upsert(POINT)
    url = path if path.startswith("/collections") else POINTS + path
    memory.result(method, url, json=body, params=params)
    if url.endswith("/delete"):
        memory.upsert(POINT)
    memory.result("PATCH", "/collections/c", json={"strict_mode_config": {"enabled": True}})
    response = memory.send(method, url, json=body, params=params)
    if limit == "write_rate_limit":
        assert response.status_code == 200
        response = memory.send(method, url, json=body, params=params)
    rate = limit.endswith("rate_limit")
    assert response.status_code == (429 if rate else 400), response.text
    assert text in response.json()["status"]["error"]
    assert ("retry-after" in response.headers) == rate


def test_rates_are_of_a_minute() -> None:
    now = 0.0
    rates = RateLimits(lambda: now)
    for _ in range(60):
        rates.take(1, "Read", 60, 1)
    with pytest.raises(RateLimitedError, match="Retry after 1s"):
        rates.take(1, "Read", 60, 1)
    rates.take(1, "Write", 60, 60)
    rates.take(2, "Read", 60, 60)
    rates.take(1, "Read", None, 1000)
    now = 10.0
    rates.take(1, "Read", 60, 10)
    with pytest.raises(RateLimitedError) as caught:
        rates.take(1, "Read", 60, 5)
    assert caught.value.retry_after == 5
    now = 100_000.0
    with pytest.raises(RateLimitedError, match="more than the 60 of a minute"):
        rates.take(1, "Read", 60, 61)


def test_what_describes_a_collection_is_no_read(memory: MemoryRest) -> None:
    memory.create(**CONFIG, strict_mode_config={"enabled": True, "read_rate_limit": 1})
    memory.result("PUT", "/collections/c/index", json={"field_name": "k", "field_schema": "keyword"}, params=WAIT)
    for _ in range(3):
        memory.result("GET", "/collections/c")
    memory.result("POST", f"{POINTS}/count", json={})
    assert "Read rate limit exceeded" in memory.error(429, "POST", f"{POINTS}/count", json={})


def test_deletes_pass_where_memory_and_space_are_short(memory: MemoryRest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "resident_percent", lambda: 99.0)
    memory.create(**CONFIG)
    memory.upsert(POINT)
    limits = {"enabled": True, "max_resident_memory_percent": 90, "max_points_count": 1}
    memory.result("PATCH", "/collections/c", json={"strict_mode_config": limits})
    memory.error(400, "PUT", POINTS, json={"points": [POINT]})
    memory.result("POST", f"{POINTS}/delete", params=WAIT, json={"points": [1]})


def test_the_memory_that_a_process_has() -> None:
    percent = memory_module.resident_percent()
    assert percent is None or 0 < percent <= 100


UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("condition", "index", "fits"),
    [
        ({"match": {"value": UUID}}, UuidIndex(), True),
        ({"match": {"any": [UUID, "x"]}}, UuidIndex(), False),
        ({"match": {"value": 1}}, UuidIndex(), False),
        ({"match": {"phrase": "a b"}}, TextIndex(), False),
        ({"match": {"phrase": "a b"}}, TextIndex(phrase_matching=True), True),
        ({"match": {"text_any": "a b"}}, TextIndex(), True),
        ({"values_count": {"gt": 0}}, TextIndex(), True),
    ],
)
def test_which_index_serves_which_condition(condition: dict[str, Any], index: Any, fits: bool) -> None:
    config = CollectionConfig(
        vectors={},
        payload_indexes={"k": PayloadIndex(index)},
        strict_mode=StrictModeConfig(enabled=True, unindexed_filtering_retrieve=False),
    )
    filter = {"must": [{"key": "k", **condition}]}
    if fits:
        check_read_filter(config, filter)
    else:
        with pytest.raises(BadInputError, match="Index required"):
            check_read_filter(config, filter)

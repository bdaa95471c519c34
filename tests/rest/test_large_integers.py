"""Integers that no machine word holds: every one is refused in so many words, wherever it stands."""

from typing import Any

import pytest

from tests.rest.client import MemoryRest

JSON = {"content-type": "application/json"}
LARGE = [str(2**64), "1" + "0" * 400, "9" * 4300]
"""The last is the longest that is read at all; a sum of two such is too long to be shown."""
POINTS = "/collections/c/points"
VECTORS = '"vectors":{"size":2,"distance":"Dot"}'

READS = [
    ("/search", '{"vector":[1,2],"limit":@}'),
    ("/search", '{"vector":[1,2],"limit":1,"offset":@}'),
    ("/search", '{"vector":[1,2],"limit":@,"offset":@}'),
    ("/search", '{"vector":[1,2],"limit":1,"params":{"hnsw_ef":@}}'),
    ("/search/batch", '{"searches":[{"vector":[1,2],"limit":1,"params":{"hnsw_ef":@}}]}'),
    ("/query", '{"query":[1,2],"limit":@,"offset":@}'),
    ("/query", '{"query":[1,2],"params":{"hnsw_ef":@}}'),
    ("/query", '{"limit":@,"offset":@}'),
    ("/query", '{"query":@}'),
    ("/query/batch", '{"searches":[{"query":[1,2],"params":{"hnsw_ef":@}}]}'),
    ("/query/batch", '{"searches":[{"query":[1,2],"limit":@,"offset":@}]}'),
    ("/scroll", '{"limit":@}'),
    ("/scroll", '{"offset":@}'),
    ("/count", '{"filter":{"must":[{"key":"a","match":{"value":@}}]}}'),
    ("/count", '{"filter":{"must":[{"key":"a","match":{"any":[@]}}]}}'),
    ("/count", '{"filter":{"must":[{"key":"a","values_count":{"gt":@}}]}}'),
    ("/count", '{"filter":{"must":[{"key":"a","range":{"gt":@}}]}}'),
    ("/count", '{"filter":{"must":[{"has_id":[@]}]}}'),
    ("/count", '{"filter":{"must":[{"slice":{"index":0,"total":@}}]}}'),
    ("/count", '{"filter":{"min_should":{"conditions":[],"min_count":@}}}'),
    ("", '{"ids":[@]}'),
]
SETTINGS = [
    *(f'"{name}":@' for name in ("shard_number", "replication_factor", "write_consistency_factor")),
    *(
        f'"hnsw_config":{{"{name}":@}}'
        for name in ("m", "ef_construct", "full_scan_threshold", "max_indexing_threads", "payload_m")
    ),
    *(
        f'"optimizers_config":{{"{name}":@}}'
        for name in (
            "vacuum_min_vector_number",
            "default_segment_number",
            "max_segment_size",
            "memmap_threshold",
            "indexing_threshold",
            "flush_interval_sec",
            "max_optimization_threads",
        )
    ),
]
CREATED = [
    *(f"{{{VECTORS},{setting}}}" for setting in SETTINGS),
    *(f'{{{VECTORS},"wal_config":{{"{name}":@}}}}' for name in ("wal_capacity_mb", "wal_segments_ahead")),
    '{"vectors":{"size":@,"distance":"Dot"}}',
    '{"vector_size":@,"distance":"Dot"}',
    '{"vectors":{"size":2,"distance":"Dot","hnsw_config":{"full_scan_threshold":@}}}',
]
CHANGED = [
    *(f"{{{setting}}}" for setting in SETTINGS if setting.startswith(('"hnsw', '"opt'))),
    *(f'{{"params":{{"{name}":@}}}}' for name in ("replication_factor", "write_consistency_factor")),
    '{"vectors":{"":{"hnsw_config":{"full_scan_threshold":@}}}}',
]
WRITES = [
    ("PUT", POINTS, '{"points":[{"id":@,"vector":[1,2]}]}'),
    ("PUT", POINTS, '{"batch":{"ids":[@],"vectors":[[1,2]]}}'),
    ("PUT", POINTS + "/vectors", '{"points":[{"id":@,"vector":[1,2]}]}'),
    ("POST", POINTS + "/delete", '{"points":[@]}'),
    ("POST", POINTS + "/payload", '{"points":[@],"payload":{}}'),
    ("POST", POINTS + "/batch", '{"operations":[{"delete":{"points":[@]}}]}'),
]
REQUESTS = [
    *(("POST", POINTS + path, body) for path, body in READS),
    *(("PUT", "/collections/new", body) for body in CREATED),
    *(("PATCH", "/collections/c", body) for body in CHANGED),
    *WRITES,
]


@pytest.mark.parametrize("value", LARGE, ids=len)
@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_is_refused_in_a_body(memory: MemoryRest, method: str, path: str, body: str, value: str) -> None:
    memory.create()
    response = memory.send(method, path, content=body.replace("@", value).encode(), headers=JSON)
    assert response.status_code in (400, 422), response.text
    assert set(response.json()) == {"status", "time"}


@pytest.mark.parametrize("value", LARGE, ids=len)
def test_is_no_trouble_in_a_parameter_a_path_or_a_header(memory: MemoryRest, value: str) -> None:
    memory.create()
    for name in ("timeout", "consistency"):
        response = memory.send("POST", POINTS + "/count", params={name: value}, json={})
        assert response.status_code in (200, 400)
    assert "point id" in memory.error(400, "GET", f"{POINTS}/{value}")
    for token in (f"0:{value}", f"{value}:0"):
        headers = {"x-headwater-offsets": token}
        assert "x-headwater-offsets" in memory.error(400, "POST", POINTS + "/count", json={}, headers=headers)


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("limit", {"limit": 2**63}),
        ("offset", {"offset": 2**63}),
        ("params.hnsw_ef", {"params": {"hnsw_ef": 2**63}}),
    ],
)
def test_the_message_says_which_and_how_large_it_may_be(memory: MemoryRest, field: str, body: dict[str, Any]) -> None:
    memory.create()
    message = memory.error(422, "POST", POINTS + "/query", json={"query": [1, 2], **body})
    assert message == f"Validation error in JSON body: [{field}: value {2**63} invalid, must be {2**63 - 1} or smaller]"

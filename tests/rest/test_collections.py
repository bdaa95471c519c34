from typing import Any

import pytest
from qdrant_client.http import models

from ingest.http.limits import Limits
from ingest.log import Topic
from schemas.records import ChangeAliases, decode_catalog_record
from tests.rest.client import VECTORS, MemoryRest, Rest


def info(rest: Rest, name: str = "c") -> models.CollectionInfo:
    return rest.parsed(models.CollectionInfo, "GET", f"/collections/{name}")


def test_create_with_defaults(rest: Rest) -> None:
    rest.create()
    found = info(rest)
    assert found.status is models.CollectionStatus.GREEN
    assert found.points_count == 0
    assert found.config.params.vectors == models.VectorParams(size=2, distance=models.Distance.DOT)
    assert found.config.hnsw_config.m == 16
    assert found.config.optimizer_config.indexing_threshold == 10000


def test_create_as_in_the_first_releases(rest: Rest) -> None:
    rest.create(name="c", vector_size=300, distance="Cosine", optimizers_config={"indexing_threshold": 5})
    found = info(rest)
    assert found.config.params.vectors == models.VectorParams(size=300, distance=models.Distance.COSINE)
    assert found.config.optimizer_config.indexing_threshold == 5


def test_create_with_everything(rest: Rest) -> None:
    rest.create(
        vectors={
            "image": {
                "size": 4,
                "distance": "Euclid",
                "hnsw_config": {"m": 8},
                "quantization_config": {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}},
                "on_disk": True,
                "datatype": "float32",
            },
            "text": {"size": 3, "distance": "Manhattan"},
        },
        shard_number=3,
        sharding_method="auto",
        replication_factor=2,
        write_consistency_factor=1,
        on_disk_payload=False,
        hnsw_config={"m": 32, "ef_construct": 200, "payload_m": 4, "on_disk": None},
        wal_config={"wal_capacity_mb": 64},
        optimizers_config={"max_optimization_threads": "auto", "deleted_threshold": 0.5, "max_segment_size": 100},
        quantization_config={"binary": {"always_ram": False}},
        metadata={"owner": "me", "nested": {"a": [1, None]}},
    )
    config = info(rest).config
    assert isinstance(config.params.vectors, dict)
    assert config.params.vectors["image"].hnsw_config == models.HnswConfigDiff(m=8)
    assert isinstance(config.params.vectors["image"].quantization_config, models.ScalarQuantization)
    assert config.params.vectors["text"].distance is models.Distance.MANHATTAN
    assert (config.params.shard_number, config.params.replication_factor) == (3, 2)
    assert config.params.on_disk_payload is False
    assert (config.hnsw_config.m, config.hnsw_config.ef_construct, config.hnsw_config.payload_m) == (32, 200, 4)
    assert config.wal_config == models.WalConfig(wal_capacity_mb=64, wal_segments_ahead=0)
    assert config.optimizer_config.max_segment_size == 100
    assert isinstance(config.quantization_config, models.BinaryQuantization)
    assert config.metadata == {"owner": "me", "nested": {"a": [1, None]}}


def test_the_unnamed_vector_in_a_map(rest: Rest) -> None:
    """As LangChain gives it, and expects it back."""
    rest.create(vectors={"": VECTORS})
    assert info(rest).config.params.vectors == {"": models.VectorParams(size=2, distance=models.Distance.DOT)}
    rest.result("PUT", "/collections/c/points", params={"wait": "true"}, json={"points": [{"id": 1, "vector": [1, 0]}]})
    assert rest.result("POST", "/collections/c/points/query", json={"query": [1, 0]})["points"][0]["id"] == 1


def test_a_name_called_size_is_a_name(rest: Rest) -> None:
    rest.create(vectors={"size": VECTORS})
    assert info(rest).config.params.vectors == {"size": models.VectorParams(size=2, distance=models.Distance.DOT)}


def test_creating_twice_conflicts_and_costs_no_record(rest: Rest) -> None:
    rest.create()
    written = len(rest.records(Topic.CATALOG, 0))
    message = rest.error(409, "PUT", "/collections/c", json={"vectors": VECTORS})
    assert message == "Wrong input: Collection `c` already exists!"
    assert len(rest.records(Topic.CATALOG, 0)) == written


def nested(levels: int) -> list[Any]:
    return [nested(levels - 1)] if levels else []


NOT_YET: list[tuple[dict[str, Any], str]] = [
    ({"vectors": {**VECTORS, "datatype": "turbo4"}}, "vectors.datatype"),
    ({"vectors": {"a": {**VECTORS, "datatype": "turbo4"}}}, "vectors.a.datatype"),
]


@pytest.mark.parametrize(("body", "what"), NOT_YET)
def test_what_is_not_there_is_refused(rest: Rest, body: dict[str, Any], what: str) -> None:
    message = rest.error(400, "PUT", "/collections/c", json=body)
    assert message.startswith(f"Wrong input: {what}")
    assert "no storage of four bits" in message


def test_what_qdrant_no_longer_has_is_like_any_unknown_field(rest: Rest) -> None:
    rest.create(vectors=VECTORS, init_from={"collection": "another"}, nonsense=1)
    assert info(rest).points_count == 0


BAD: list[tuple[int, dict[str, Any], str]] = [
    (400, {"vectors": {"size": 0, "distance": "Dot"}}, "vectors"),
    (422, {"vectors": {"size": 65537, "distance": "Dot"}}, "vectors.size"),
    (400, {"vectors": {"size": "2", "distance": "Dot"}}, "vectors.size"),
    (400, {"vectors": {"size": 2, "distance": "Hamming"}}, "vectors.distance"),
    (400, {"vectors": {"size": 2}}, "distance"),
    (400, {"vectors": {"a": 3}}, "vectors.a"),
    (400, {"vectors": [1]}, "vectors"),
    (400, {"vectors": VECTORS, "hnsw_config": {"m": -1}}, "hnsw_config.m"),
    (422, {"vectors": VECTORS, "hnsw_config": {"full_scan_threshold": 9}}, "hnsw_config.full_scan_threshold"),
    (422, {"vectors": {**VECTORS, "memory": "pinned"}}, "vectors.memory"),
    (422, {"vectors": VECTORS, "strict_mode_config": {"max_timeout": 0}}, "strict_mode_config.max_timeout"),
    (422, {"vectors": {"a" * 256: VECTORS}}, "vector name"),
    (422, {"vectors": {str(n): VECTORS for n in range(65)}}, "vectors"),
    (422, {"vectors": VECTORS, "shard_number": 0}, "shard_number"),
    (422, {"vectors": VECTORS, "shard_number": 10**9}, "shard_number"),
    (422, {"vectors": VECTORS, "hnsw_config": {"ef_construct": 1}}, "hnsw_config.ef_construct"),
    (422, {"vectors": VECTORS, "optimizers_config": {"deleted_threshold": 2}}, "deleted_threshold"),
    (400, {"vectors": VECTORS, "optimizers_config": {"max_optimization_threads": "many"}}, "max_optimization_threads"),
    (400, {"vectors": VECTORS, "quantization_config": {}}, "quantization_config"),
    (400, {"vectors": VECTORS, "quantization_config": {"scalar": {"type": "int9"}}}, "quantization_config.scalar"),
    (422, {"vectors": VECTORS, "quantization_config": {"scalar": {"type": "int8", "quantile": 2}}}, "quantile"),
    (400, {"vectors": VECTORS, "vector_size": 3, "distance": "Dot"}, "vector_size"),
    (400, {"vector_size": 3}, "distance"),
    (400, {"name": "other", "vector_size": 3, "distance": "Dot"}, "other"),
    (400, {"vectors": VECTORS, "metadata": {"n": 1 << 70}}, "64 bits"),
    (400, {"vectors": VECTORS, "metadata": {"deep": nested(64)}}, "metadata is nested deeper"),
]


@pytest.mark.parametrize(("status", "body", "what"), BAD)
def test_bad_configurations(rest: Rest, status: int, body: dict[str, Any], what: str) -> None:
    assert what in rest.error(status, "PUT", "/collections/c", json=body)
    assert rest.result("GET", "/collections") == {"collections": []}


@pytest.mark.parametrize("name", ["a:b", "a*b", "a%22b", "a%00b", "a" * 256, "%5C"])
def test_bad_names(rest: Rest, name: str) -> None:
    assert "collection name" in rest.error(422, "PUT", f"/collections/{name}", json={"vectors": VECTORS})


def test_update(rest: Rest) -> None:
    rest.create(vectors=VECTORS, metadata={"a": 1, "b": 2})
    patch = {
        "vectors": {"": {"hnsw_config": {"m": 4}, "on_disk": True}},
        "optimizers_config": {"indexing_threshold": 7},
        "hnsw_config": {"ef_construct": 50},
        "params": {"replication_factor": 3},
        "quantization_config": {"product": {"compression": "x16"}},
        "metadata": {"a": None, "c": 3},
    }
    assert rest.result("PATCH", "/collections/c", json=patch) is True
    config = info(rest).config
    assert isinstance(config.params.vectors, models.VectorParams)
    assert config.params.vectors.hnsw_config == models.HnswConfigDiff(m=4)
    assert config.optimizer_config.indexing_threshold == 7
    assert config.hnsw_config.ef_construct == 50
    assert config.params.replication_factor == 3
    assert isinstance(config.quantization_config, models.ProductQuantization)
    assert config.metadata == {"b": 2, "c": 3}
    assert rest.result("PATCH", "/collections/c", json={"quantization_config": "Disabled"}) is True
    assert info(rest).config.quantization_config is None


def test_bad_updates(rest: Rest) -> None:
    assert "doesn't exist" in rest.error(404, "PATCH", "/collections/c", json={})
    rest.create()
    assert "vector name" in rest.error(400, "PATCH", "/collections/c", json={"vectors": {"x": {}}})
    body = {"metadata": {"deep": nested(64)}}
    assert "metadata is nested deeper" in rest.error(400, "PATCH", "/collections/c", json=body)
    assert "m" in rest.error(400, "PATCH", "/collections/c", json={"hnsw_config": {"m": -1}})
    message = rest.error(400, "PATCH", "/collections/c", json={"sparse_vectors": {"s": {}}})
    assert message == "Wrong input: Not existing vector name error: s"


def test_delete(rest: Rest) -> None:
    rest.create()
    assert rest.result("DELETE", "/collections/c") is True
    assert rest.result("DELETE", "/collections/c") is False
    assert "doesn't exist" in rest.error(404, "GET", "/collections/c")
    rest.create()


def test_exists_and_list(rest: Rest) -> None:
    rest.create("b")
    rest.create("a")
    listed = rest.parsed(models.CollectionsResponse, "GET", "/collections")
    assert [c.name for c in listed.collections] == ["a", "b"]
    assert rest.parsed(models.CollectionExistence, "GET", "/collections/a/exists").exists is True
    assert rest.parsed(models.CollectionExistence, "GET", "/collections/c/exists").exists is False


def change_aliases(*actions: dict[str, dict[str, str]]) -> dict[str, Any]:
    return {"actions": list(actions)}


def test_a_change_of_aliases_has_so_many_actions(rest: Rest) -> None:
    actions = [{"delete_alias": {"alias_name": "a"}}] * 10_001
    found = rest.error(422, "POST", "/collections/aliases", json=change_aliases(*actions))
    assert "actions: at most 10000, not 10001" in found


def test_aliases(rest: Rest) -> None:
    rest.create("a")
    rest.create("b")
    create = {"create_alias": {"alias_name": "now", "collection_name": "a"}}
    assert rest.result("POST", "/collections/aliases", json=change_aliases(create)) is True
    listed = rest.parsed(models.CollectionsAliasesResponse, "GET", "/aliases")
    assert listed.aliases == [models.AliasDescription(alias_name="now", collection_name="a")]
    assert rest.parsed(models.CollectionsAliasesResponse, "GET", "/collections/b/aliases").aliases == []
    assert info(rest, "now").points_count == 0
    switch = change_aliases(
        {"delete_alias": {"alias_name": "now"}}, {"create_alias": {"alias_name": "now", "collection_name": "b"}}
    )
    assert rest.result("POST", "/collections/aliases", json=switch) is True
    rename = {"rename_alias": {"old_alias_name": "now", "new_alias_name": "then"}}
    assert rest.result("POST", "/collections/aliases", json=change_aliases(rename)) is True
    assert rest.result("GET", "/collections/b/aliases")["aliases"] == [{"alias_name": "then", "collection_name": "b"}]
    record = decode_catalog_record(rest.records(Topic.CATALOG, 0)[-2])
    assert isinstance(record, ChangeAliases)
    assert len(record.actions) == 2


def test_bad_alias_actions_change_nothing(rest: Rest) -> None:
    rest.create("a")
    good = {"create_alias": {"alias_name": "x", "collection_name": "a"}}
    bad = {"create_alias": {"alias_name": "y", "collection_name": "nowhere"}}
    assert "nowhere" in rest.error(404, "POST", "/collections/aliases", json=change_aliases(good, bad))
    assert rest.result("GET", "/aliases") == {"aliases": []}
    clash = {"create_alias": {"alias_name": "a", "collection_name": "a"}}
    assert "already exists" in rest.error(409, "POST", "/collections/aliases", json=change_aliases(clash))
    assert "Expected one of" in rest.error(400, "POST", "/collections/aliases", json=change_aliases({}))
    rest.result("POST", "/collections/aliases", json=change_aliases(good))
    assert "Alias with the same name" in rest.error(400, "PUT", "/collections/x", json={"vectors": VECTORS})
    assert rest.result("DELETE", "/collections/x") is False


def test_long_alias_names(rest: Rest) -> None:
    """However long they are, the catalog goes on."""
    rest.create("a")
    long = "x" * (12 << 20)
    create = {"create_alias": {"alias_name": long, "collection_name": "a"}}
    rename = {"rename_alias": {"old_alias_name": "x", "new_alias_name": long}}
    for body in (create, rename):
        assert "1 to 255 bytes" in rest.error(422, "POST", "/collections/aliases", json=change_aliases(body))
    unknown = (
        {"rename_alias": {"old_alias_name": long, "new_alias_name": "x"}},
        {"create_alias": {"alias_name": "x", "collection_name": long}},
    )
    for body in unknown:
        reason = rest.error(404, "POST", "/collections/aliases", json=change_aliases(body))
        assert len(reason) < 1100
    rest.create("b")


def test_a_change_that_is_not_visible_in_time(memory: MemoryRest) -> None:
    memory.node.stalled = True
    body = {"vectors": VECTORS}
    assert "accepted" in memory.error(408, "PUT", "/collections/c", params={"timeout": 1}, json=body)


def test_a_log_that_takes_nothing(memory: MemoryRest) -> None:
    memory.node.log.broken = True
    assert "disk is full" in memory.error(503, "PUT", "/collections/c", json={"vectors": VECTORS})


def test_a_log_that_does_not_answer(memory: MemoryRest) -> None:
    memory.node.log.silent = True
    body = {"vectors": VECTORS}
    assert "within 1 seconds" in memory.error(503, "PUT", "/collections/c", params={"timeout": 1}, json=body)


def test_no_further_collection_is_created_where_there_are_enough() -> None:
    client = MemoryRest(limits=Limits(max_collections=1))
    client.create("a")
    error = client.error(400, "PUT", "/collections/b", json={"vectors": VECTORS})
    assert error == "Bad request: Can't create collection with name b. Max collections limit reached: 1"
    client.result("DELETE", "/collections/a")
    client.create("b")
    client.close()

"""The requests of Qdrant's guide to optimizing, with values of our own: over plain HTTP, and by the client's calls."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from tests.support.http import Http

SIZE = 768
SMALLER, POINTS = 64, 1500
"""Of a collection that is searched by codes."""
QUICK = {"optimizers_config": {"indexing_threshold": 10, "flush_interval_sec": 1}}
"""What the guide doesn't say: with so few points nothing would be indexed."""
INT8_IN_MEMORY = {"scalar": {"type": "int8", "always_ram": True}}
ON_DISK: dict[str, Any] = {"size": SIZE, "distance": "Cosine", "on_disk": True}
IN_MEMORY: dict[str, Any] = {"size": SIZE, "distance": "Cosine"}
BODIES: list[dict[str, Any]] = [
    {"vectors": ON_DISK, "quantization_config": INT8_IN_MEMORY},
    {"vectors": ON_DISK, "hnsw_config": {"on_disk": True}},
    {"vectors": ON_DISK, "hnsw_config": {"m": 64, "ef_construct": 512, "on_disk": True}},
    {"vectors": IN_MEMORY, "quantization_config": INT8_IN_MEMORY},
    {"vectors": IN_MEMORY, "optimizers_config": {"default_segment_number": 16}},
    {"vectors": IN_MEMORY, "optimizers_config": {"default_segment_number": 2}},
]
PARAMS: list[dict[str, Any]] = [
    {},
    {"quantization": {"rescore": False}},
    {"quantization": {"rescore": True, "oversampling": 2.4}},
    {"quantization": {"ignore": True}},
    {"hnsw_ef": 128, "exact": False},
    {"hnsw_ef": 128, "exact": True},
]


def vectors() -> list[list[float]]:
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((6, SMALLER))
    made = centres[np.arange(POINTS) % 6] + rng.standard_normal((POINTS, SMALLER))
    found: list[list[float]] = made.astype(np.float32).tolist()
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def answered(http: Http, params: dict[str, Any], vector: list[float]) -> dict[int, float]:
    body = {"query": vector, "params": params, "limit": 10}
    points = http.post("/collections/optimized/points/query", body).result["points"]
    return {point["id"]: point["score"] for point in points}


@pytest.mark.parametrize("body", BODIES)
def test_collections_of_the_guide_are_made_as_asked_for(http: Http, body: dict[str, Any]) -> None:
    assert http.put("/collections/optimized", body).status == 200
    config = http.get("/collections/optimized").result["config"]
    assert config["params"]["vectors"] == body["vectors"]
    assert config["quantization_config"] == body.get("quantization_config")
    assert config["hnsw_config"].items() >= body.get("hnsw_config", {}).items()
    assert config["optimizer_config"].items() >= body.get("optimizers_config", {}).items()
    one = {"points": [{"id": 1, "vector": [1.0] * SIZE}]}
    assert http.put("/collections/optimized/points?wait=true", one).status == 200
    for params in PARAMS:
        assert answered(http, params, [0.5] * SIZE) == {1: pytest.approx(1)}
    http.delete("/collections/optimized")


def test_little_memory_and_quick_searches_over_http(http: Http) -> None:
    body = {**BODIES[0], **QUICK, "vectors": {**ON_DISK, "size": SMALLER}}
    assert http.put("/collections/optimized", body).status == 200
    every = vectors()
    points = [{"id": i, "vector": vector} for i, vector in enumerate(every)]
    assert http.put("/collections/optimized/points?wait=true", {"points": points}).status == 200

    def info() -> dict[str, Any]:
        return http.get("/collections/optimized").result

    wait_until(lambda: info()["indexed_vectors_count"] == POINTS and info()["status"] == "green")
    vector = every[3]
    truth = answered(http, {"exact": True}, vector)
    for params in PARAMS:
        found = answered(http, params, vector)
        if params.get("quantization") == {"rescore": False}:
            assert found != truth
            assert len(found.keys() & truth.keys()) >= 8
            assert all(score == pytest.approx(truth[i], abs=0.01) for i, score in found.items() if i in truth)
        else:
            assert len(found.items() & truth.items()) >= 9
    for quantization in ({"binary": {"encoding": "two_bits"}}, "Disabled"):
        assert http.patch("/collections/optimized", {"quantization_config": quantization}).status == 200
        assert info()["config"]["quantization_config"] == (None if quantization == "Disabled" else quantization)
        wait_until(lambda: info()["status"] == "green")
        assert (answered(http, PARAMS[1], vector).items() <= truth.items()) == (quantization == "Disabled")
        assert len(answered(http, {}, vector).items() & truth.items()) >= 8
    http.delete("/collections/optimized")


@pytest.mark.parametrize("prefer_grpc", [False, True], ids=["rest", "grpc"], scope="module")
def test_the_same_with_the_client(client: QdrantClient) -> None:
    client.create_collection(
        "optimized",
        vectors_config=models.VectorParams(size=4, distance=models.Distance.COSINE, on_disk=True),
        quantization_config=models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
        ),
        hnsw_config=models.HnswConfigDiff(on_disk=True),
        optimizers_config=models.OptimizersConfigDiff(default_segment_number=16),
    )
    client.upsert("optimized", points=[models.PointStruct(id=1, vector=[0.5, 0.1, 0.7, 0.2])])
    for params in (
        models.SearchParams(quantization=models.QuantizationSearchParams(rescore=False)),
        models.SearchParams(hnsw_ef=128, exact=False),
    ):
        found = client.query_points("optimized", query=[0.5, 0.1, 0.7, 0.2], search_params=params, limit=3).points
        assert [point.id for point in found] == [1]
    config = client.get_collection("optimized").config
    assert isinstance(config.quantization_config, models.ScalarQuantization)
    client.delete_collection("optimized")

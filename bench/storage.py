"""Recall against latency and throughput for each way to store vectors, beside libraries and Qdrant's own engine.

python -m bench plots [--points 50000] [--output FOLDER]

Headwater is asked over REST, on one connection and on eight; the peers are in this process and are asked by direct
calls, one at a time and on as many threads as there are cores: they have no protocol to pay for. All hold the same
vectors, and the right answers are those of an exact search by cosine over what was given, whatever is stored of it.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import qdrant_edge as edge

from bench.curve import EFS, Curve, on_all_cores, one_by_one
from bench.libraries import LIBRARIES
from bench.peers import EF_CONSTRUCT, M
from bench.raw_http import Connection, request, throughput, timed
from bench.word_vectors import progress
from bench.workload import BATCH, Floats, Ids, K, Workload, exact_ids, found_ids, normalised
from tests.support.server import Server

QUERIES = 500
CONNECTIONS = 8
READY_SECONDS = 300.0
THRESHOLD_KB = 200
"""Of vectors, from which on there is a graph."""
LARGEST = 255


@dataclass(frozen=True)
class Storage:
    """A way to store vectors: what Headwater's collection says, and the peer's."""

    body: dict[str, Any]
    peer: Callable[[], dict[str, Any]]
    whole: bool = False
    """Whether values are given as whole numbers from 0 to 255."""
    oversampling: float | None = None
    """How many times as many as are wanted both find by codes and compare exactly; None where there are no codes."""


def _quantized(**settings: dict[str, Any]) -> dict[str, Any]:
    return {"quantization_config": settings}


STORAGES = {
    "float32": Storage({}, dict),
    "float16": Storage({"datatype": "float16"}, lambda: {"datatype": edge.VectorStorageDatatype.Float16}),
    "uint8": Storage({"datatype": "uint8"}, lambda: {"datatype": edge.VectorStorageDatatype.Uint8}, whole=True),
    "scalar int8": Storage(
        _quantized(scalar={"type": "int8", "always_ram": True}),
        lambda: {"quantization_config": edge.ScalarQuantizationConfig(edge.ScalarType.Int8, always_ram=True)},
        oversampling=2.0,
    ),
    "turbo 4 bits": Storage(
        _quantized(turbo={"bits": "bits4", "always_ram": True}),
        lambda: {"quantization_config": edge.TurboQuantQuantizationConfig(True, edge.TurboQuantBitSize.Bits4)},
        oversampling=2.0,
    ),
    "product x8": Storage(
        _quantized(product={"compression": "x8", "always_ram": True}),
        lambda: {"quantization_config": edge.ProductQuantizationConfig(edge.CompressionRatio.X8, always_ram=True)},
        oversampling=3.0,
    ),
    "binary": Storage(
        _quantized(binary={"always_ram": True}),
        lambda: {"quantization_config": edge.BinaryQuantizationConfig(always_ram=True)},
        oversampling=8.0,
    ),
}


@dataclass(frozen=True)
class Given:
    """What is stored and asked: as it is, of length 1, or as whole numbers that keep the order of distances."""

    vectors: Floats
    queries: Floats
    distance: str


def given(work: Workload, storage: Storage) -> Given:
    """The vectors as a storage takes them."""
    vectors, queries = normalised(work.vectors), normalised(work.queries[:QUERIES])
    if not storage.whole:
        return Given(vectors, queries, "Cosine")
    # The same scale for all values: the nearest stay the nearest by Euclid, but for rounding.
    reach = float(np.abs(vectors).max())
    whole = [np.rint((np.clip(rows / reach, -1, 1) + 1) * LARGEST / 2) for rows in (vectors, queries)]
    return Given(whole[0].astype(np.float32), whole[1].astype(np.float32), "Euclid")


def curves(work: Workload, folder: Path) -> Iterator[Curve]:
    """Measure everything."""
    right = exact_ids(work)[:QUERIES]
    with Server(folder / "data") as server:
        server.start()
        for name, storage in STORAGES.items():
            progress(f"{name}: Headwater")
            yield _headwater(server, name, storage, given(work, storage), right)
    for name, storage in STORAGES.items():
        progress(f"{name}: Qdrant's engine")
        yield _engine(folder / "edge", name, storage, given(work, storage), right)
    stored = given(work, STORAGES["float32"])
    for name, library in LIBRARIES:
        progress(f"{name}: {library.system}")
        yield library.measure(name, stored.vectors, stored.queries, right)


def _json(method: str, path: str, body: object) -> bytes:
    return request(method, path, json.dumps(body).encode())


def _headwater(server: Server, name: str, storage: Storage, stored: Given, right: Ids) -> Curve:
    path = "/collections/stored"
    vectors = {"size": stored.vectors.shape[1], "distance": stored.distance, **storage.body}
    graph = {"m": M, "ef_construct": EF_CONSTRUCT, "full_scan_threshold": THRESHOLD_KB}
    body = {"vectors": vectors, "hnsw_config": graph, "optimizers_config": {"indexing_threshold": THRESHOLD_KB}}
    with Connection(server.port) as connection:
        connection.ask(_json("PUT", path, body))
        for at in range(0, len(stored.vectors), BATCH):
            rows = stored.vectors[at : at + BATCH].tolist()
            points = [{"id": at + i, "vector": row} for i, row in enumerate(rows)]
            connection.ask(_json("PUT", f"{path}/points?wait=true", {"points": points}))
        _wait_indexed(connection, path, len(stored.vectors))
    curve = Curve("Headwater, over REST", name)
    codes = {} if storage.oversampling is None else {"rescore": True, "oversampling": storage.oversampling}
    for ef in EFS:
        params = {"hnsw_ef": ef, "quantization": codes}
        asked = [
            _json("POST", f"{path}/points/query", {"query": query, "limit": K, "params": params})
            for query in stored.queries.tolist()
        ]
        timed(server.port, asked[:50])
        seconds, bodies = timed(server.port, asked)
        curve.add(found_ids(bodies), right, seconds, throughput(server.port, asked * 2, CONNECTIONS).per_second)
    with Connection(server.port) as connection:
        connection.ask(request("DELETE", path))
    return curve


def _wait_indexed(connection: Connection, path: str, size: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        seen = msgspec.json.decode(connection.ask(request("GET", path)))["result"]
        if seen["status"] == "green" and seen["indexed_vectors_count"] >= size:
            return
        time.sleep(0.2)
    raise TimeoutError(f"not indexed after {READY_SECONDS:.0f} s")


def _engine(folder: Path, name: str, storage: Storage, stored: Given, right: Ids) -> Curve:
    distance = edge.Distance.Euclid if storage.whole else edge.Distance.Cosine
    config = edge.EdgeConfig(
        edge.EdgeVectorParams(stored.vectors.shape[1], distance, **storage.peer()),
        hnsw_config=edge.HnswIndexConfig(M, EF_CONSTRUCT, THRESHOLD_KB),
        optimizers=edge.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=THRESHOLD_KB),
    )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shard: Any = edge.EdgeShard.create(str(folder), config)
    for at in range(0, len(stored.vectors), BATCH):
        rows = stored.vectors[at : at + BATCH].tolist()
        shard.update(edge.UpdateOperation.upsert_points([edge.Point(at + i, row, {}) for i, row in enumerate(rows)]))
    shard.optimize()
    curve = Curve("Qdrant's engine, in process", name)
    codes = None
    if storage.oversampling is not None:
        codes = edge.QuantizationSearchParams(rescore=True, oversampling=storage.oversampling)
    for ef in EFS:
        params = edge.SearchParams(hnsw_ef=ef, quantization=codes)
        asked = [
            edge.QueryRequest(K, query=edge.Query.Nearest(query), params=params) for query in stored.queries.tolist()
        ]
        one_by_one(shard.query, asked[:50])
        seconds, answers = one_by_one(shard.query, asked)
        found = [[hit.id for hit in answer] for answer in answers]
        curve.add(found, right, seconds, on_all_cores(shard.query, asked * 2))
    shard.close()
    return curve


def write(measured: Sequence[Curve], path: Path) -> None:
    """As JSON."""
    path.write_text(json.dumps([asdict(curve) for curve in measured], indent=1) + "\n")

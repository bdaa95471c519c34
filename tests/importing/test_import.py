"""``headwater import qdrant``: from another Headwater, and from a server that gives what a real Qdrant answered."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient, models
from structlog.testing import capture_logs

from compose.errors import UserError
from compose.importing.client import Client
from compose.importing.copy import Importer
from compose.importing.state import StateFile
from tests.golden.transcript import CLUSTERED
from tests.support.server import Server, headwater

COUNT = 2500


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("source") / "data", environment=CLUSTERED) as running:
        yield running.start()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("target") / "data", environment=CLUSTERED) as running:
        yield running.start()


@pytest.fixture(scope="module")
def filled(source: Server) -> QdrantClient:
    client = QdrantClient(url=source.url, timeout=60)
    client.create_collection(
        "things",
        vectors_config={
            "a": models.VectorParams(size=3, distance=models.Distance.COSINE, on_disk=True),
            "b": models.VectorParams(size=2, distance=models.Distance.DOT, datatype=models.Datatype.UINT8),
        },
        sparse_vectors_config={"s": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        hnsw_config=models.HnswConfigDiff(m=8),
        optimizers_config=models.OptimizersConfigDiff(indexing_threshold=123),
        strict_mode_config=models.StrictModeConfig(enabled=True, upsert_max_batchsize=5000, max_query_limit=3000),
        metadata={"owner": "someone"},
        shard_number=2,
    )
    client.create_payload_index("things", "n", models.PayloadSchemaType.INTEGER)
    text = models.TextIndexParams(type=models.TextIndexType.TEXT, tokenizer=models.TokenizerType.WORD, lowercase=True)
    client.create_payload_index("things", "text", text)
    client.upsert("things", [_point(number) for number in range(COUNT)])
    client.create_collection("empty", vectors_config={})
    unnamed = models.VectorParams(size=1, distance=models.Distance.DOT)
    client.create_collection("keyed", vectors_config=unnamed, sharding_method=models.ShardingMethod.CUSTOM)
    for key in ("x", 5):
        client.create_shard_key("keyed", key)
        points = [models.PointStruct(id=i, vector=[i], payload={"key": key}) for i in range(40)]
        client.upsert("keyed", points, shard_key_selector=key)
    for alias, name in (("known-as", "things"), ("nothing", "empty")):
        made = models.CreateAlias(collection_name=name, alias_name=alias)
        client.update_collection_aliases([models.CreateAliasOperation(create_alias=made)])
    return client


def _point(number: int) -> models.PointStruct:
    vector: dict[str, Any] = {"a": [number + 0.1, 1.0, 2.0]}
    if number % 2:
        vector |= {"b": [1, 2], "s": models.SparseVector(indices=[number], values=[0.25])}
    identity = number if number % 3 else f"00000000-0000-0000-0000-{number:012}"
    return models.PointStruct(id=identity, vector=vector, payload={"n": number + 2**60, "text": "Some Words"})


def everything(client: QdrantClient, name: str) -> list[models.Record]:
    return client.scroll(name, limit=3000, with_payload=True, with_vectors=True)[0]


def test_all_collections_are_copied_with_all_they_have(
    filled: QdrantClient, source: Server, target: Server, tmp_path: Path
) -> None:
    state = tmp_path / "state.json"
    command = ["import", "qdrant", source.url, "--to", target.url, "--state", str(state)]
    done = headwater(*command)
    assert done.returncode == 0, done.stderr
    assert "things: 2,500 points of 2,500" in done.stdout
    assert not state.exists()
    here = QdrantClient(url=target.url, timeout=60)
    for name in ("things", "empty"):
        assert here.get_collection(name).config == filled.get_collection(name).config
        assert here.get_collection(name).payload_schema == filled.get_collection(name).payload_schema
        assert everything(here, name) == everything(filled, name)
    for key in ("x", 5):
        page, _ = here.scroll("keyed", limit=100, shard_key_selector=key)
        assert [record.payload for record in page] == [{"key": key}] * 40
    assert {a.alias_name: a.collection_name for a in here.get_aliases().aliases} == {
        "known-as": "things",
        "nothing": "empty",
    }
    again = headwater(*command)
    assert again.returncode == 1
    assert "that this import did not make" in again.stderr


def test_it_goes_on_where_it_was_ended(
    filled: QdrantClient, source: Server, target: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = QdrantClient(url=target.url, timeout=60)
    here.delete_collection("things")
    asked: list[Any] = []
    ask = Client.ask

    def failing(self: Client, method: str, path: str, body: Any = None, params: Any = None) -> Any:
        if path.endswith("/points"):
            asked.append(body["points"][0].id)
            if len(asked) == 4:
                raise UserError("the network is gone")
        return ask(self, method, path, body, params)

    monkeypatch.setattr(Client, "ask", failing)
    path = tmp_path / "state.json"
    with Client(source.url) as there, Client(target.url) as to:
        with pytest.raises(UserError, match="gone"):
            Importer(there, to, StateFile(path, there.url, to.url)).run(["things"])
        assert 0 < here.count("things").count < COUNT
        with pytest.raises(UserError, match="is of an import from"):
            StateFile(path, "http://elsewhere", to.url)
        begun = len(asked)
        [copied] = Importer(there, to, StateFile(path, there.url, to.url)).run(["things"])
    assert (copied.there, copied.here) == (COUNT, COUNT)
    assert asked[begun] > 0
    assert everything(here, "things") == everything(filled, "things")


ANSWERS: dict[tuple[str, str], Any] = {
    ("GET", "/collections"): {"collections": [{"name": "c"}]},
    ("GET", "/aliases"): {"aliases": [{"alias_name": "recorded", "collection_name": "c"}]},
    ("GET", "/collections/c"): {
        "status": "green",
        "optimizer_status": "ok",
        "indexed_vectors_count": 0,
        "points_count": 3,
        "segments_count": 2,
        "config": {
            "params": {
                "vectors": {"size": 2, "distance": "Dot"},
                "shard_number": 1,
                "replication_factor": 1,
                "write_consistency_factor": 1,
                "on_disk_payload": True,
            },
            "hnsw_config": {
                "m": 16,
                "ef_construct": 100,
                "full_scan_threshold": 10000,
                "max_indexing_threads": 0,
                "on_disk": False,
            },
            "optimizer_config": {
                "deleted_threshold": 0.2,
                "vacuum_min_vector_number": 1000,
                "default_segment_number": 0,
                "max_segment_size": None,
                "memmap_threshold": None,
                "indexing_threshold": 10000,
                "flush_interval_sec": 5,
                "max_optimization_threads": None,
                "prevent_unoptimized": None,
            },
            "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1},
            "quantization_config": None,
        },
        "payload_schema": {"n": {"data_type": "integer", "points": 3}},
        "update_queue": {"length": 0},
    },
    ("POST", "/collections/c/points/count"): {"count": 3},
    ("POST", "/collections/c/points/scroll"): {
        "points": [
            {"id": 1, "payload": {"n": 1}, "vector": [1.0, 0.0]},
            {"id": 2, "payload": {"n": 2}, "vector": [2.0, 0.0]},
            {"id": "5c56c793-69f3-4fbf-87e6-c4bf54c28c26", "payload": {"n": 3}, "vector": [3.0, 0.0]},
        ],
        "next_page_offset": None,
    },
}


class Recorded(BaseHTTPRequestHandler):
    """Gives what a real server answered, once after an error that passes."""

    failed = False

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer()

    def _answer(self) -> None:
        status, found = 200, ANSWERS.get((self.command, self.path))
        if self.headers.get("api-key") != "secret":
            status = 401
        elif not Recorded.failed:
            Recorded.failed, status = True, 503
        data = json.dumps({"result": found, "status": "ok", "time": 0.0}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def test_a_recorded_server_is_copied(target: Server, tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        waits: list[float] = []
        with Client(url, "wrong") as there, Client(target.url) as to:
            file = StateFile(tmp_path / "state.json", there.url, to.url)
            with pytest.raises(UserError, match="answered 401"):
                Importer(there, to, file).run([])
        with Client(url, "secret", waits.append) as there, Client(target.url) as to:
            with capture_logs() as logs:
                [copied] = Importer(there, to, file).run(["c"])
            with pytest.raises(UserError, match="has no collection d"):
                Importer(there, to, file).run(["d"])
        assert (copied.there, copied.here) == (3, 3)
        assert waits == [1.0]
        assert [(log["event"], log["seconds"]) for log in logs if log["log_level"] == "warning"] == [
            ("trying again", 1.0)
        ]
    finally:
        server.shutdown()
        server.server_close()
    here = QdrantClient(url=target.url, timeout=60)
    assert [record.payload for record in everything(here, "recorded")] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert here.get_collection("c").payload_schema["n"].points == 3

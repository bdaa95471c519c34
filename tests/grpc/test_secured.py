"""Keys in metadata, over TLS, with the ordinary client and with bare calls."""

from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from qdrant_client import QdrantClient, models

from tests.support.server import HOST, HeadwaterProcess, free_port


def test_keys_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert(HOST, "localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    port, grpc_port = free_port(), free_port()
    environment = {
        "HEADWATER_API_KEY": "secret-key",
        "HEADWATER_READ_ONLY_API_KEY": "reader-key",
        "HEADWATER_TLS_CERT": str(tmp_path / "server.pem"),
        "HEADWATER_TLS_KEY": str(tmp_path / "server.pem"),
        "HEADWATER_GRPC": "true",
        "HEADWATER_GRPC_PORT": str(grpc_port),
    }
    arguments = ["serve", "--port", str(port), "--data", str(tmp_path / "data")]
    credentials: Any = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    channel: Any = grpc.secure_channel(f"localhost:{grpc_port}", credentials)
    ask = channel.unary_unary("/qdrant.Collections/List")
    with HeadwaterProcess(arguments, port, tmp_path / "output", environment) as server, channel:
        server.launch()
        ask(b"", metadata=[("api-key", "secret-key")], wait_for_ready=True, timeout=60)
        codes = {key: code_of(ask, key) for key in ("reader-key", "wrong-key", None)}
        assert codes == {"reader-key": "OK", "wrong-key": "UNAUTHENTICATED", None: "UNAUTHENTICATED"}
        bearer = [("authorization", "Bearer reader-key")]
        ask(b"", metadata=bearer, timeout=60)
        create = channel.unary_unary("/qdrant.Collections/Create")
        assert code_of(create, "reader-key") == "PERMISSION_DENIED"
        # Health is for load balancers, which have no key.
        assert code_of(channel.unary_unary("/qdrant.Qdrant/HealthCheck"), None) == "OK"
    assert "secret-key" not in server.output.read_text()


def code_of(call: Any, key: str | None) -> str:
    try:
        call(b"", metadata=[] if key is None else [("api-key", key)], timeout=60)
    except grpc.RpcError as raised:
        error: Any = raised
        return str(error.code().name)
    return "OK"


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    taken = free_port()
    first = ["serve", "--port", str(free_port()), "--grpc", "--grpc-port", str(taken), "--data", str(tmp_path / "a")]
    second = ["serve", "--port", str(free_port()), "--grpc", "--grpc-port", str(taken), "--data", str(tmp_path / "b")]
    with HeadwaterProcess(first, int(first[2]), tmp_path / "first") as one:
        one.start()
        with HeadwaterProcess(second, int(second[2]), tmp_path / "second") as other:
            other.launch()
            assert other.wait_end() != 0
            assert "--grpc-port" in other.last_output()


def test_the_ordinary_client(tmp_path: Path) -> None:
    port, grpc_port = free_port(), free_port()
    arguments = ["serve", "--port", str(port), "--grpc", "--grpc-port", str(grpc_port), "--data", str(tmp_path / "d")]
    with HeadwaterProcess(arguments, port, tmp_path / "output", {"HEADWATER_API_KEY": "secret-key"}) as server:
        server.start()
        client = QdrantClient(
            host=HOST, port=port, grpc_port=grpc_port, prefer_grpc=True, https=False, api_key="secret-key"
        )
        client.create_collection("c", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
        client.upload_points(
            "c", [models.PointStruct(id=i, vector=[i, 1.0], payload={"i": i}) for i in range(300)], wait=True
        )
        assert client.count("c").count == 300
        assert [point.id for point in client.query_points("c", query=[1.0, 0.0], limit=2).points] == [299, 298]
        snapshot = client.create_snapshot("c")
        assert snapshot is not None
        assert [one.name for one in client.list_snapshots("c")] == [snapshot.name]
        assert client.delete_snapshot("c", snapshot.name)
        assert client.list_snapshots("c") == []
        with pytest.raises(grpc.RpcError, match="Collection `none`"):
            client.get_collection("none")
        client.close()

"""A server with a certificate and keys, from Qdrant's own variables, and the ordinary client."""

import ssl
import time
from pathlib import Path

import httpx
import pytest
import trustme
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from tests.support.server import HOST, HeadwaterProcess, free_port


def wait_until_ready(server: HeadwaterProcess, url: str, context: ssl.SSLContext) -> None:
    server.launch()
    end = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/readyz", verify=context).status_code == 200:
                return
        except httpx.TransportError:
            assert time.monotonic() < end, server.output.read_text()
        time.sleep(0.05)


def test_a_client_with_a_key_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert(HOST, "localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    port = free_port()
    environment = {
        "QDRANT__SERVICE__API_KEY": "secret-key",
        "QDRANT__SERVICE__READ_ONLY_API_KEY": "reader-key",
        "HEADWATER_TLS_CERT": str(tmp_path / "server.pem"),
        "HEADWATER_TLS_KEY": str(tmp_path / "server.pem"),
    }
    arguments = ["serve", "--port", str(port), "--data", str(tmp_path / "data")]
    url = f"https://localhost:{port}"
    with HeadwaterProcess(arguments, port, tmp_path / "output", environment) as server:
        wait_until_ready(server, url, context)
        # The context is handed on to httpx, which takes more than the client's annotations say.
        writer = QdrantClient(url=url, api_key="secret-key", verify=context)  # pyright: ignore[reportArgumentType]
        reader = QdrantClient(url=url, api_key="reader-key", verify=context)  # pyright: ignore[reportArgumentType]
        with pytest.raises(UnexpectedResponse, match="403"):
            reader.create_collection("c", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
        writer.create_collection("c", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
        writer.upsert("c", [models.PointStruct(id=1, vector=[1, 0])], wait=True)
        assert [point.id for point in reader.query_points("c", query=[1, 0]).points] == [1]
        assert httpx.get(f"{url}/collections", verify=context).status_code == 401
        # Larger than a head may be, on an encrypted connection.
        assert httpx.get(url, headers={"x-large": "x" * 100_000}, verify=context).status_code == 431
    assert "secret-key" not in server.output.read_text()

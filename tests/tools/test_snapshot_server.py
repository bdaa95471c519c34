"""A snapshot of a server that takes writes, and the server started from it."""

import shutil
import threading
from pathlib import Path

import pytest

from tests.support.http import Http
from tests.support.server import Server, headwater


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_goes_on_from_it(tmp_path: Path, workers: str) -> None:
    data = tmp_path / "data"
    stop = threading.Event()
    written: list[int] = []

    def write(server: Server) -> None:
        with Http(server.port) as http:
            while not stop.is_set():
                number = len(written)
                points = [{"id": number * 10 + i, "vector": [number, 1.0], "payload": {"n": number}} for i in range(10)]
                assert http.put("/collections/words/points?wait=true", {"points": points}).status == 200
                written.append(number)

    with Server(data, ["--partitions", "2", "--workers", workers]) as server:
        server.start()
        with Http(server.port) as http:
            body = {"vectors": {"size": 2, "distance": "Dot"}, "shard_number": 2}
            assert http.put("/collections/words", body).status == 200
        writer = threading.Thread(target=write, args=(server,))
        writer.start()
        try:
            done = [headwater("snapshot", "create", "--name", name, "--data", str(data)) for name in ("one", "two")]
        finally:
            stop.set()
            writer.join()
        assert [d.returncode for d in done] == [0, 0], done[0].stderr + done[1].stderr
        server.stop()
        listed = headwater("snapshot", "list", "--data", str(data)).stdout
        assert listed.index("one") < listed.index("two")
        assert headwater("snapshot", "delete", "two", "--data", str(data)).returncode == 0
        refused = headwater("snapshot", "restore", "one", "--data", str(data))
        assert "is not empty: move it away first" in refused.stderr
        shutil.rmtree(data / "state")
        assert headwater("snapshot", "restore", "one", "--data", str(data)).returncode == 0
        copy = tmp_path / "copy"
        assert headwater("snapshot", "restore", f"{data}/snapshots/one", "--into", str(copy)).returncode == 0
        assert {path.name for path in copy.iterdir()} >= {"catalog", "points-00000", "points-00001"}
        server.start()
        with Http(server.port) as http:
            count = http.post("/collections/words/points/count", {"exact": True}).result["count"]
        assert count == 10 * len(written)
        server.stop()
    verified = headwater("verify", "--data", str(data))
    assert verified.returncode == 0, verified.stdout + verified.stderr

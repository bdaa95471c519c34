"""A server that may open few files: it says so where it lacks one, lives on, and is whole when it starts again."""

import resource
import socket
import sys
from pathlib import Path

import pytest

from tests.support.http import HOST, Http
from tests.support.server import Server
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="another process's limit can be set on Linux only")

LIMIT = 80
COLLECTIONS = 100


def _write(http: Http, number: int, point: int) -> int:
    body = {"points": [{"id": point, "vector": [1.0, 2.0]}]}
    return http.put(f"/collections/c{number}/points?wait=true", body).status


def test_collections_take_no_descriptors_and_running_out_ends_nothing(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        server.start()
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        with Http(server.port) as http:
            for number in range(COLLECTIONS):
                made = http.put(f"/collections/c{number}", {"vectors": {"size": 2, "distance": "Dot"}})
                assert (made.status, _write(http, number, 1)) == (200, 200)
            taken = [socket.create_connection((HOST, server.port)) for _ in range(LIMIT)]
            eventually(lambda: "Too many open files" in server.last_output(100_000))
            assert [_write(http, number, 2) for number in range(COLLECTIONS)] == [200] * COLLECTIONS
            for connection in taken:
                connection.close()
            eventually(lambda: len(list(server.data.glob("state/points-*/shards/*/s*[0-9]"))) >= COLLECTIONS)
            assert server.alive()
            assert server.stop() == 0
        server.start()
        with Http(server.port) as http:
            counts = [
                http.post(f"/collections/c{number}/points/count", {"exact": True}).result["count"]
                for number in range(COLLECTIONS)
            ]
        assert counts == [2] * COLLECTIONS

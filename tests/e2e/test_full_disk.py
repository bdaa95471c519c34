"""A server whose state is on a disk that fills up: writes are refused with the reason, reads go on, nothing is lost."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.disk import Disk, small_disk
from tests.support.http import Answer, Http
from tests.support.server import Server
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

MEBIBYTES = 160
LEFT = 12 << 20
"""What the state may still take. It then wants more than the rest for what it writes when it is opened."""


def _put(http: Http, path: str, body: Any) -> Answer:
    return http.send("PUT", path, json.dumps(body).encode())


def _upsert(http: Http, number: int, rng: random.Random, *, wait: bool = True) -> Answer:
    points = [{"id": number, "vector": [1.0, float(number)], "payload": {"text": rng.randbytes(100_000).hex()}}]
    return _put(http, f"/collections/things/points?wait={str(wait).lower()}", {"points": points})


def _count(http: Http) -> int:
    body = b'{"exact": true}'
    count: int = http.send("POST", "/collections/things/points/count", body).result["count"]
    return count


def _fill_up(http: Http, disk: Disk, rng: random.Random) -> int:
    """Write points until one is not carried out; how many were."""
    disk.fill(LEFT)
    for number in range(1000):
        answer = _upsert(http, number, rng)
        if answer.status != 200:
            assert answer.status == 507
            assert "No space left on device" in answer.error
            return number
    raise AssertionError("the disk took everything")


def test_reads_go_on_and_nothing_is_lost(tmp_path: Path) -> None:
    rng = random.Random(1)
    data = tmp_path / "data"
    with small_disk(data / "state", MEBIBYTES) as disk, Server(data).start() as server, Http(server.port) as http:
        assert _put(http, "/collections/things", {"vectors": {"size": 2, "distance": "Dot"}}).status == 200
        written = _fill_up(http, disk, rng)
        assert written > 0
        # Of the one that was told of first, the log had it; what comes after is not even put there.
        refused = _upsert(http, 5000, rng, wait=False)
        assert (refused.status, "Nothing was written" in refused.error) == (507, True)
        assert "retry-after" in refused.headers
        assert _put(http, "/collections/more", {"vectors": {"size": 2, "distance": "Dot"}}).status in (200, 507)
        assert _count(http) == written
        assert http.get("/collections/things/points/0").result["id"] == 0
        disk.make_room()
        eventually(lambda: _count(http) == written + 1)
        assert _upsert(http, 6000, rng).status == 200
        assert _count(http) == written + 2
        assert server.stop() == 0
        server.start()
        with Http(server.port) as again:
            assert _count(again) == written + 2


def test_it_can_be_started_and_goes_on_by_itself(tmp_path: Path) -> None:
    rng = random.Random(2)
    data = tmp_path / "data"
    with small_disk(data / "state", MEBIBYTES) as disk, Server(data) as server:
        server.start()
        with Http(server.port) as http:
            assert _put(http, "/collections/things", {"vectors": {"size": 2, "distance": "Dot"}}).status == 200
            written = _fill_up(http, disk, rng)
        server.kill()
        disk.fill()
        server.launch()
        with Http(server.port) as http:
            eventually(lambda: _not_ready(http))
            assert http.get("/collections/things").status == 503
            disk.make_room()
            server.wait_ready()
            assert _count(http) == written + 1
            server.stop()
        disk.fill()
        server.start()
        with Http(server.port) as http:
            # Everything is applied, so there is nothing to wait for.
            assert _count(http) == written + 1
            assert _upsert(http, 7000, rng).status == 507
            disk.make_room()
            eventually(lambda: _upsert(http, 7000, rng).status == 200)
            assert _count(http) == written + 2


def _not_ready(http: Http) -> bool:
    try:
        answer = http.get("/readyz")
    except OSError:
        return False
    return answer.status == 503 and b"No space left" in answer.body

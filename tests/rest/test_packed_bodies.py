"""Bodies with a content encoding."""

import gzip
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import cramjam
import pytest

from ingest.http import body
from ingest.http.limits import Limits
from ingest.http.unpacking import unpack
from tests.rest.client import MemoryRest

LIMIT = 3 << 20
COUNT = "/collections/c/points/count"
PACK: dict[str, Callable[[bytes], Any]] = {
    "gzip": gzip.compress,
    "deflate": cramjam.zlib.compress,
    "br": cramjam.brotli.compress,
    "zstd": cramjam.zstd.compress,
}


@pytest.fixture
def rest() -> Iterator[MemoryRest]:
    client = MemoryRest(limits=Limits(max_body_bytes=LIMIT, max_in_flight_bytes=8 << 20))
    client.create()
    yield client
    client.close()


def packed(encoding: str, data: bytes) -> dict[str, Any]:
    return {"content": bytes(PACK[encoding.lower()](data)), "headers": {"content-encoding": encoding}}


@pytest.mark.parametrize("encoding", [*PACK, "GZIP"])
def test_a_packed_body_is_unpacked(rest: MemoryRest, encoding: str) -> None:
    points = b'{"points":[{"id":1,"vector":[1,0]}]}'
    rest.result("PUT", "/collections/c/points?wait=true", **packed(encoding, points))
    assert rest.result("POST", COUNT, **packed(encoding, b'{"filter":{"must":{"has_id":[1]}}}')) == {"count": 1}


@pytest.mark.parametrize("encoding", PACK)
@pytest.mark.parametrize("size", [1000, 200_000, LIMIT])
def test_a_packed_body_of_any_size(rest: MemoryRest, encoding: str, size: int) -> None:
    noise = os.urandom(size // 4).hex().encode()
    body = b'{"filter":{"must":{"key":"k","match":{"value":"%b"}}}}' % noise[:-100]
    assert rest.result("POST", COUNT, **packed(encoding, body)) == {"count": 0}
    assert rest.result("POST", COUNT, **packed(encoding, b"{}".ljust(size))) == {"count": 0}


@pytest.mark.parametrize("encoding", PACK)
def test_the_limit_is_that_of_the_unpacked_body(rest: MemoryRest, encoding: str) -> None:
    for size in (LIMIT + 1, 10 * LIMIT):
        assert str(LIMIT) in rest.error(413, "POST", COUNT, **packed(encoding, b"{}".ljust(size)))
    assert rest.app.in_flight.held == 0


@pytest.mark.parametrize("encoding", PACK)
def test_what_is_not_packed_as_it_says(rest: MemoryRest, encoding: str) -> None:
    whole = bytes(PACK[encoding](b'{"exact": true}' * 10))
    for content in (b'{"exact": true}', whole[:-1], whole[:9]):
        said = rest.error(400, "POST", COUNT, content=content, headers={"content-encoding": encoding})
        assert f"is no {encoding}" in said
    assert rest.app.in_flight.held == 0


@pytest.mark.parametrize("encoding", ["identity", "utf-8", "", "gzip, gzip"])
def test_an_encoding_that_is_not_known_is_not_looked_at(rest: MemoryRest, encoding: str) -> None:
    headers = {"content-encoding": encoding}
    assert rest.result("POST", COUNT, content=b"{}", headers=headers) == {"count": 0}


def test_no_more_is_unpacked_than_may_be_in_flight() -> None:
    rest = MemoryRest(limits=Limits(max_body_bytes=LIMIT, max_in_flight_bytes=2 << 20))
    try:
        rest.create()
        assert rest.result("POST", COUNT, **packed("gzip", b"{}".ljust(1 << 20))) == {"count": 0}
        assert "try again" in rest.error(429, "POST", COUNT, **packed("gzip", b"{}".ljust(2 << 20)))
        assert rest.app.in_flight.held == 0
    finally:
        rest.close()


def test_many_small_members_of_gzip(rest: MemoryRest) -> None:
    members = b"".join(gzip.compress(b" ") for _ in range(50_000)) + gzip.compress(b"{}")
    headers = {"content-encoding": "gzip"}
    assert rest.result("POST", COUNT, content=members, headers=headers) == {"count": 0}


@pytest.mark.parametrize("encoding", PACK)
def test_a_short_body_is_unpacked_at_once_unless_that_may_take_long(
    rest: MemoryRest, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    short = bytes(PACK[encoding](b"{}"))
    long = gzip.compress(b"") * 1000
    assert unpacked_beside_the_loop(rest, monkeypatch, encoding, short) is (encoding == "br")
    assert unpacked_beside_the_loop(rest, monkeypatch, "gzip", long + gzip.compress(b"{}"))


def unpacked_beside_the_loop(rest: MemoryRest, monkeypatch: pytest.MonkeyPatch, encoding: str, content: bytes) -> bool:
    threads: list[str] = []

    def noted(codec: str, data: bytes, most: int) -> bytes | None:
        threads.append(threading.current_thread().name)
        return unpack(codec, data, most)

    monkeypatch.setattr(body, "unpack", noted)
    assert rest.result("POST", COUNT, content=content, headers={"content-encoding": encoding}) == {"count": 0}
    return all(name.startswith("headwater-unpack") for name in threads)

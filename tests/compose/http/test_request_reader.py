"""Requests are read alike however their bytes come, and whether or not their heads came before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compose.http.request_reader import (
    MAX_HEAD_BYTES,
    REMEMBERED_HEADS,
    Heads,
    HeadTooLargeError,
    InvalidRequestError,
    RequestReader,
)
from ingest.http.head import Head

GET = b"GET /a?b=c HTTP/1.1\r\nhost: x\r\n"
POST = GET.replace(b"GET", b"POST")


@dataclass
class Told:
    """What a reader told of, each request as its head and its whole body."""

    requests: list[tuple[Head, bytes]] = field(default_factory=list[tuple[Head, bytes]])
    head: Head | None = None
    body: bytes = b""
    full: bool = False

    def on_request(self, head: Head, body: bytes) -> None:
        assert self.head is None
        self.requests.append((head, body))

    def on_head(self, head: Head) -> None:
        assert self.head is None
        self.head, self.body = head, b""

    def on_body(self, data: bytes) -> None:
        assert self.head is not None
        self.body += data

    def on_end(self) -> None:
        assert self.head is not None
        self.requests.append((self.head, self.body))
        self.head = None


def read(data: bytes, cuts: Sequence[int] = (), heads: Heads | None = None) -> Told:
    """What is told of ``data`` that comes in pieces."""
    told = Told()
    reader = RequestReader(told, Heads() if heads is None else heads)
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(places):
        reader.feed(data[start:end])
        while reader.held:
            reader.feed()
    return told


names = st.sampled_from([b"x", b"X-Y", b"accept", b"origin"])
values = st.sampled_from([b"", b"1", b"a b", b"\xff"])
bodies = st.binary(max_size=40) | st.sampled_from([b"\r\n\r\n", GET + b"\r\n"])


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """The bytes of a request, and its body."""
    headers = b"".join(b"%b: %b\r\n" % header for header in draw(st.lists(st.tuples(names, values), max_size=3)))
    kind = draw(st.sampled_from(["none", "length", "chunked"]))
    if kind == "none":
        return GET + headers + b"\r\n", b""
    body = draw(bodies)
    if kind == "length":
        return POST + headers + b"content-length: %d\r\n\r\n%b" % (len(body), body), body
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return POST + headers + b"transfer-encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n", body


@given(st.lists(requests(), min_size=1, max_size=4), st.lists(st.integers(0, 1000), max_size=6))
@example([(GET + b"\r\n", b""), (GET + b"\r\n", b"")], [len(GET)])
def test_the_same_however_it_comes(sent: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    data = b"".join(request for request, _ in sent)
    whole = read(data)
    assert [body for _, body in whole.requests] == [body for _, body in sent]
    assert [head.method for head, _ in whole.requests] == ["GET" if r.startswith(b"GET") else "POST" for r, _ in sent]
    heads = Heads()
    for request, _ in sent:
        read(request, heads=heads)
    for known in (Heads(), heads):
        told = read(data, cuts, known)
        assert told.requests == whole.requests
        assert told.head is None


def test_what_a_head_says() -> None:
    data = b"POST /a%20b/%C3%A4?c=%20d HTTP/1.1\r\nOrigin: http://x\r\nX: 1\r\nx: 2\r\nContent-Length: 0\r\n\r\n"
    [(head, body)] = read(data).requests
    assert (head.method, head.path, head.raw_path, head.query) == ("POST", "/a b/ä", b"/a%20b/%C3%A4", b"c=%20d")
    assert head.headers == ((b"origin", b"http://x"), (b"x", b"1"), (b"x", b"2"), (b"content-length", b"0"))
    assert (head.length, head.origin, head.expects, head.keep_alive, body) == (0, b"http://x", False, True, b"")


def test_what_is_around_a_value_is_not_of_it() -> None:
    data = b"POST / HTTP/1.1\r\napi-key:\t a b \t \r\nexpect: 100-continue \r\ncontent-length: 0 \r\n\r\n"
    [(head, _)] = read(data).requests
    assert head.headers == ((b"api-key", b"a b"), (b"expect", b"100-continue"), (b"content-length", b"0"))
    assert (head.expects, head.length) == (True, 0)


def test_who_speaks_an_old_version_is_not_told_to_go_on() -> None:
    [(head, _)] = read(b"POST / HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 0\r\n\r\n").requests
    assert not head.expects


@pytest.mark.parametrize("end", [b"HTTP/1.0\r\n\r\n", b"HTTP/1.1\r\nconnection: close\r\n\r\n"])
def test_what_follows_the_last_request_is_not_looked_at(end: bytes) -> None:
    heads = Heads()
    for _ in range(2):
        [(head, _)] = read(b"GET / " + end + GET + b"\r\n", heads=heads).requests
        assert not head.keep_alive


def test_a_wish_for_another_protocol_is_not_heard() -> None:
    wish = b"connection: upgrade\r\nupgrade: h2c\r\n"
    for cuts in ([], [60], [90], [105]):
        told = read(POST + wish + b"content-length: 3\r\n\r\nabc" + GET + wish + b"\r\n" + GET + b"\r\n", cuts)
        assert [body for _, body in told.requests] == [b"abc", b"", b""]
    with pytest.raises(InvalidRequestError):
        read(POST + wish + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET / HTTP/1.1\nhost: x\n\n",
        b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
        POST + b"content-length: 1\r\ncontent-length: 2\r\n\r\n",
        POST + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        POST + b"transfer-encoding: chunked\r\n\r\nx\r\n",
        POST + b"transfer-encoding: gzip\r\n\r\n",
    ],
)
def test_what_is_no_http(data: bytes) -> None:
    heads = Heads()
    for cuts in (range(0), range(len(data))):
        with pytest.raises(InvalidRequestError):
            read(GET + b"\r\n" + data, cuts, heads)


def test_each_head_is_bounded_by_itself() -> None:
    most = GET + b"x: " + b"a" * (MAX_HEAD_BYTES - len(GET) - 7) + b"\r\n\r\n"
    assert len(read(most * 5).requests) == 5
    more = most.replace(b"x: ", b"x: a")
    with pytest.raises(HeadTooLargeError):
        read(most * 3 + more)
    with pytest.raises(HeadTooLargeError):
        read(more[:-4] + b"aaaa", [100])


def test_few_heads_are_kept() -> None:
    heads = Heads()
    for number in range(REMEMBERED_HEADS * 2):
        read(GET + b"x: %d\r\n\r\n" % number, heads=heads)
    assert len(heads) <= REMEMBERED_HEADS
    before = len(heads)
    for kept_out in (
        b"x: " + b"a" * 2000,
        b"expect: 100-continue",
        b"connection: close",
        b"transfer-encoding: chunked",
    ):
        read(POST + kept_out + b"\r\n\r\n", heads=heads)
    assert len(heads) == before

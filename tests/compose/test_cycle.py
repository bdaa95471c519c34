"""An answer's head and the first part of its body go out together, framed as HTTP wants it."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, cast

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from compose.http.cycle import Cycle

OK = b"HTTP/1.1 200 OK\r\n"
CLOSE = b"connection: close\r\n"


class Noted:
    """A transport that says what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.told


def start(status: int = 200, **headers: str) -> dict[str, Any]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": named}


def body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def told(messages: Sequence[dict[str, Any]], method: str = "GET", *, keep_alive: bool = True) -> list[object]:
    """What a transport is told by an application's messages, "done" once the answer is complete."""

    async def act() -> list[object]:
        noted = Noted()
        transport = cast("asyncio.Transport", noted)
        cycle = Cycle(
            scope=cast("Any", {"type": "http", "method": method}),
            transport=transport,
            flow=FlowControl(transport),
            logger=logging.getLogger("test"),
            access_logger=logging.getLogger("test"),
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=lambda: noted.told.append("done"),
        )
        for message in messages:
            await cycle.send(message)
        return noted.told

    return asyncio.run(act())


def test_a_head_waits_for_its_body() -> None:
    head = OK + b"content-length: 2\r\n\r\n"
    assert told([start(content_length="2")]) == []
    assert told([start(content_length="2"), body(b"{}")]) == [head + b"{}", "done"]
    assert told([start(content_length="2"), body(b"{", more=True), body(b"}")]) == [head + b"{", b"}", "done"]


def test_a_large_body_is_not_copied() -> None:
    data = bytes(1 << 20)
    head = OK + b"content-length: %d\r\n\r\n" % len(data)
    assert told([start(content_length=str(len(data))), body(data)]) == [head, data, "done"]


def test_what_has_no_length_goes_in_chunks() -> None:
    head = OK + b"transfer-encoding: chunked\r\n\r\n"
    assert told([start(), body(b"abc")]) == [head + b"3\r\nabc\r\n0\r\n\r\n", "done"]
    parts = [start(), body(b"abc", more=True), body(b"", more=True), body(b"")]
    assert told(parts) == [head + b"3\r\nabc\r\n", b"", b"0\r\n\r\n", "done"]


def test_what_has_no_body() -> None:
    assert told([start(204), body(b"")]) == [b"HTTP/1.1 204 No Content\r\n\r\n", "done"]
    head = OK + b"content-length: 5\r\n\r\n"
    assert told([start(content_length="5"), body(b"")], "HEAD") == [head, "done"]


def test_a_connection_is_closed_that_is_not_kept() -> None:
    head = OK + b"content-length: 0\r\n"
    ended = [head + CLOSE + b"\r\n", "closed", "done"]
    assert told([start(content_length="0"), body(b"")], keep_alive=False) == ended
    assert told([start(content_length="0", connection="close"), body(b"")]) == ended


@pytest.mark.parametrize(
    "messages",
    [
        [body(b"")],
        [start(), start()],
        [start(content_length="0"), body(b""), body(b"")],
        [start(content_length="1"), body(b"ab")],
        [start(content_length="3"), body(b"ab")],
        [start(etag="a\r\nset-cookie: b"), body(b"")],
    ],
    ids=["no head", "two heads", "after the end", "longer", "shorter", "two headers in one"],
)
def test_what_is_no_answer_is_refused(messages: Sequence[dict[str, Any]]) -> None:
    with pytest.raises(RuntimeError):
        told(messages)

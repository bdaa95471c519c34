"""An answer's head and body go out together, and a head alone is not kept for long."""

import asyncio
from typing import cast

from compose.http.joined_writes import JoinedWrites

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Noted:
    """A transport that says what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.closing = True
        self.told.append("closed")

    def write_eof(self) -> None:
        self.told.append("end")

    def is_closing(self) -> bool:
        return self.closing


def told(*steps: object) -> list[object]:
    """What a transport was told by these writes; None: the loop's next turn."""

    async def act() -> list[object]:
        noted = Noted()
        joined = JoinedWrites(cast("asyncio.Transport", noted), asyncio.get_running_loop())
        for step in steps:
            if isinstance(step, bytes):
                joined.write(step)
            elif step is None:
                await asyncio.sleep(0)
            else:
                getattr(joined, str(step))()
        await asyncio.sleep(0)
        assert joined.is_closing() is noted.closing
        return noted.told

    return asyncio.run(act())


def test_a_head_waits_for_its_body() -> None:
    assert told(HEAD, b"{}") == [HEAD + b"{}"]
    assert told(HEAD, b"{}", b"more", HEAD, b"[]") == [HEAD + b"{}", b"more", HEAD + b"[]"]


def test_a_head_that_nothing_follows_goes_alone() -> None:
    assert told(HEAD) == [HEAD]
    assert told(HEAD, None, b"late") == [HEAD, b"late"]
    assert told(HEAD, "close") == [HEAD, "closed"]
    assert told(HEAD, "write_eof") == [HEAD, "end"]


def test_what_is_no_answer_yet_goes_at_once() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    assert told(interim, HEAD, b"{}") == [interim, HEAD + b"{}"]


def test_a_large_body_is_not_copied() -> None:
    body = bytes(1 << 20)
    assert told(HEAD, body) == [HEAD, body]

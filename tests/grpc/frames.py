"""HTTP/2 by hand, for what no client would send."""

import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.support.http import HOST

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0x0, 0x1, 0x3, 0x4, 0x6, 0x7
END_STREAM, END_HEADERS = 0x1, 0x4
_HEAD = struct.Struct(">BHBBI")


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A whole frame."""
    return _HEAD.pack(len(payload) >> 16, len(payload) & 0xFFFF, kind, flags, stream) + payload


def headers(fields: Sequence[tuple[str, str]]) -> bytes:
    """Fields as HPACK has them, none of them indexed, of less than 127 bytes each."""
    return b"".join(
        b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode() for name, value in fields
    )


def request(stream: int, path: str, *extra: tuple[str, str]) -> bytes:
    """The head of a call."""
    fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", HOST),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        *extra,
    ]
    return frame(HEADERS, END_HEADERS, stream, headers(fields))


def message(stream: int, data: bytes, *, length: int | None = None, compressed: int = 0, end: bool = True) -> bytes:
    """A call's message; it says that it has ``length`` bytes, where that isn't how many it has."""
    prefix = struct.pack(">BI", compressed, len(data) if length is None else length)
    return frame(DATA, END_STREAM if end else 0, stream, prefix + data)


class RawConnection:
    """A connection that has said hello."""

    def __init__(self, port: int, preface: bytes = PREFACE + frame(SETTINGS, 0, 0)) -> None:
        self._socket = socket.create_connection((HOST, port), timeout=30)
        self._socket.sendall(preface)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send any bytes."""
        self._socket.sendall(data)

    def frames(self) -> list[tuple[int, int, bytes]]:
        """Kinds, streams and payloads of all frames until the server hangs up, or says how a stream ended."""
        found: list[tuple[int, int, bytes]] = []
        while head := self._read(_HEAD.size):
            high, low, kind, flags, stream = _HEAD.unpack(head)
            payload = self._read(high << 16 | low)
            found.append((kind, stream, payload))
            if kind in (RST_STREAM, GOAWAY) or (kind == HEADERS and flags & END_STREAM):
                break
        return found

    def _read(self, size: int) -> bytes:
        data = b""
        try:
            while len(data) < size and (piece := self._socket.recv(size - len(data))):
                data += piece
        except ConnectionResetError:
            return b""
        return data

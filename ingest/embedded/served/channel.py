"""Channel: structs over a socket, each as its length in four bytes, big-endian, and its MessagePack."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from ingest.embedded.log import MAX_RECORD_BYTES, REJECTED_EXTRA_BYTES
from ingest.embedded.served.protocol import MAX_READ_BYTES

MAX_BYTES = MAX_RECORD_BYTES + REJECTED_EXTRA_BYTES + MAX_READ_BYTES + (1 << 20)
"""The largest record, and what may be read with it."""
ASIDE_BYTES = 1 << 20
"""So much is encoded and decoded on a thread."""
_PIECE_BYTES = 256 << 10
_LENGTH = struct.Struct(">I")

GotT = TypeVar("GotT")
_encoder = msgspec.msgpack.Encoder()


class BrokenChannelError(Exception):
    """What came is nothing that the other side sends: no more can be made of what follows."""


class Channel(Generic[GotT]):
    """One end of a connection. Used on one event loop; one task receives, any number send."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, decode: Callable[[bytes], GotT]
    ) -> None:
        """See ``open_channel``."""
        self._reader = reader
        self._writer = writer
        self._decode = decode
        self._turn = asyncio.Lock()
        self._in_turn = 0
        """How many have, or wait for, their turn to encode."""

    async def receive(self) -> GotT | None:
        """What was sent next; None once the other side is gone. Raises BrokenChannelError."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if length > MAX_BYTES:
                raise BrokenChannelError(f"{length} bytes are announced, and {MAX_BYTES} are the most")
            if length <= ASIDE_BYTES:
                return self._decode(await self._reader.readexactly(length))
            pieces: list[bytes] = []
            while length:
                pieces.append(await self._reader.readexactly(min(length, _PIECE_BYTES)))
                length -= len(pieces[-1])
            return await asyncio.to_thread(lambda: self._decode(b"".join(pieces)))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except msgspec.MsgspecError as error:
            raise BrokenChannelError(str(error)) from error

    async def send(self, what: msgspec.Struct, size: int = 0) -> None:
        """Send a struct of about ``size`` bytes, in the order of the calls; what the other side doesn't take yet waits.

        How much waits is for the caller to bound. Raises ConnectionError, and ValueError when it is larger than the
        other side takes.
        """
        if size <= ASIDE_BYTES and not self._in_turn:
            self.post(what)
            return
        self._in_turn += 1
        try:
            async with self._turn:
                self._write(await asyncio.to_thread(_encode, what) if size > ASIDE_BYTES else _encode(what))
        finally:
            self._in_turn -= 1

    def post(self, what: msgspec.Struct) -> None:
        """Send a small struct ahead of those that wait to be encoded. Raises ConnectionError."""
        self._write(_encode(what))

    def _write(self, data: bytearray) -> None:
        if len(data) > MAX_BYTES + _LENGTH.size:
            raise ValueError(f"{len(data)} bytes are more than {MAX_BYTES}")
        if self._writer.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._writer.write(data)

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


async def open_channel(connected: socket.socket, decode: Callable[[bytes], GotT]) -> Channel[GotT]:
    """The channel over a connected socket, which is its own from now on; ``decode`` raises msgspec.MsgspecError.

    Raises OSError.
    """
    reader, writer = await asyncio.open_connection(sock=connected, limit=ASIDE_BYTES)
    return Channel(reader, writer, decode)


def _encode(what: msgspec.Struct) -> bytearray:
    data = bytearray(_LENGTH.size)
    _encoder.encode_into(what, data, _LENGTH.size)
    _LENGTH.pack_into(data, 0, len(data) - _LENGTH.size)
    return data

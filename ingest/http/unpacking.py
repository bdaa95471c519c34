"""Bodies that clients packed: ``Content-Encoding``. One coding is undone, of those that Qdrant knows.

A body that names another, or several, is taken as it is, as Qdrant does.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from schemas.errors import BadInputError

_AT_ONCE_BYTES = 64 << 10
"""What is unpacked into no more than that takes less time than to have a thread do it."""
_PACKED_AT_ONCE_BYTES = 16 << 10
"""As many as come of 64 KiB of JSON; of empty members of gzip, which take longest, they take 2.6 ms."""
_NEVER_AT_ONCE = frozenset({"br"})
"""It clears as much memory as is declared, which takes 10 ms of a body of 106 bytes."""
_LEAST_ON_A_THREAD_BYTES = 1 << 20
_USUAL_RATIO = 8
_PIECE_BYTES = 256 << 10
THREADS = ThreadPoolExecutor(os.cpu_count() or 1, "headwater-unpack")
"""Their own: 32 MiB of empty members of gzip take one for 6 s, and no other work is to wait for that."""
_CODINGS = frozenset({"gzip", "deflate", "br", "zstd"})


def codec_of(encoding: bytes) -> str | None:
    """What unpacks a body whose head says ``encoding``; None for one that is taken as it is."""
    name = encoding.decode("latin-1").strip().lower()
    return name if name in _CODINGS else None


def is_short(codec: str, size: int, room: int) -> bool:
    """Whether to unpack ``size`` bytes into at most ``room`` takes no thread, whatever they are."""
    return room <= _AT_ONCE_BYTES and size <= _PACKED_AT_ONCE_BYTES and codec not in _NEVER_AT_ONCE


def rooms(codec: str, size: int, most: int) -> Iterator[int]:
    """How many bytes to allow ``size`` packed ones to become, one after another while they become more."""
    usual = max(_LEAST_ON_A_THREAD_BYTES, _USUAL_RATIO * size)
    if most > _AT_ONCE_BYTES and is_short(codec, size, _AT_ONCE_BYTES):
        yield _AT_ONCE_BYTES
    if usual < most:
        yield usual
    yield most


def unpack(codec: str, data: bytes, most: int) -> bytes | None:
    """The unpacked bytes, None where they are more than ``most``. Raises BadInputError."""
    # Once, in 3 ms: most servers never get such a body, and what unpacks takes 2 MB.
    from ingest.decompress import DecompressError, decompress

    try:
        found = decompress(codec, memoryview(data), most)
    except DecompressError as error:
        raise BadInputError(f"Payload error: the request's body is no {codec}: {error}") from error
    if not found.is_whole:
        return None
    # A copy at once would hold up other threads: pieces are joined without the interpreter lock.
    return b"".join([bytes(found.data[at : at + _PIECE_BYTES]) for at in range(0, len(found.data), _PIECE_BYTES)])

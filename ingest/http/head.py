"""The head of a request: its first line and its headers."""

from collections.abc import Sequence

import msgspec

RawHeaders = Sequence[tuple[bytes, bytes]]
"""Names, in lower case, and values, in the order in which they came."""


class Head(msgspec.Struct, frozen=True):
    """What a request says before its body. Requests with the same bytes may share one.

    ``path`` is decoded, ``raw_path`` as it came, ``query`` without its question mark. ``length`` is the body's in
    bytes, None for one that comes in chunks. ``expects``: the client waits to be told before it sends the body.
    ``encoding``: how the body is packed, as the client says it.
    """

    method: str
    path: str
    raw_path: bytes
    query: bytes
    headers: RawHeaders
    length: int | None
    version: str = "1.1"
    keep_alive: bool = True
    expects: bool = False
    origin: bytes | None = None
    encoding: bytes | None = None


def find_header(headers: RawHeaders, name: bytes) -> bytes | None:
    """The value of the first header called ``name``, in lower case."""
    for key, value in headers:
        if key == name:
            return value
    return None


def list_header(headers: RawHeaders, name: bytes) -> bytes | None:
    """All values of headers called ``name``, in lower case, as one list: whoever passes them on may split it."""
    found: bytes | None = None
    for key, value in headers:
        if key == name:
            found = value if found is None else b"%b,%b" % (found, value)
    return found

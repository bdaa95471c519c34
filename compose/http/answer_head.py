"""The head of an answer, as it is written."""

from functools import lru_cache
from http import HTTPStatus

from ingest.http.head import RawHeaders

CLOSE = b"connection: close\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
WITHOUT_BODY = frozenset({204, 304})
"""Statuses of answers that never have a body, nor a length."""
_IN_NO_NAME = bytes({*range(0x21), *range(0x7F, 0x100), *b'()<>@,;:[]={}\\"'})
_IN_NO_VALUE = bytes({*range(0x20), 0x7F} - {ord("\t")})


@lru_cache(maxsize=256)
def opening(status: int, kind: bytes) -> bytes:
    """The first lines of an answer of some content type. Raises RuntimeError for what is no header's value."""
    return status_line(status) + header_lines(((b"content-type", kind),))


@lru_cache(maxsize=256)
def status_line(status: int) -> bytes:
    """The first line."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


def header_lines(headers: RawHeaders) -> bytes:
    """Headers as they are written. Raises RuntimeError where one would not be one header."""
    lines = b""
    for name, value in headers:
        if name.translate(None, _IN_NO_NAME) != name or value.translate(None, _IN_NO_VALUE) != value:
            raise RuntimeError(f"{name!r}: {value!r} is no header")
        lines += b"%b: %b\r\n" % (name, value)
    return lines

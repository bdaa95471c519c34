"""What every answer is wrapped in: ``result``, ``status`` and ``time`` in seconds."""

from typing import Generic, TypeVar

import msgspec

ResultT = TypeVar("ResultT")
_encode = msgspec.json.Encoder().encode


class Envelope(msgspec.Struct, Generic[ResultT]):
    """A successful answer."""

    result: ResultT
    status: str
    time: float


class ErrorStatus(msgspec.Struct):
    """What went wrong."""

    error: str


class ErrorResponse(msgspec.Struct):
    """An unsuccessful answer."""

    status: ErrorStatus
    time: float


def encode_result(result: object, seconds: float) -> bytes:
    """A successful answer's JSON."""
    return _encode(Envelope(result, "ok", seconds))


def encode_error(message: str, seconds: float) -> bytes:
    """An unsuccessful answer's JSON."""
    return _encode(ErrorResponse(ErrorStatus(message), seconds))

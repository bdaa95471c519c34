"""What every answer is wrapped in: ``result``, ``status`` and ``time`` in seconds."""

import msgspec

_encode = msgspec.json.Encoder().encode


class Envelope(msgspec.Struct):
    """A successful answer; ``explain`` only where it was asked for."""

    result: object
    status: str
    time: float
    explain: object = msgspec.UNSET


class ErrorStatus(msgspec.Struct):
    """What went wrong."""

    error: str


class ErrorResponse(msgspec.Struct):
    """An unsuccessful answer."""

    status: ErrorStatus
    time: float


def encode_result(result: object, seconds: float, explain: object = msgspec.UNSET) -> bytes:
    """A successful answer's JSON; a large one's is better made by ``schemas.rest.pieces``."""
    return _encode(Envelope(result, "ok", seconds, explain))


def encode_error(message: str, seconds: float) -> bytes:
    """An unsuccessful answer's JSON."""
    return _encode(ErrorResponse(ErrorStatus(message), seconds))

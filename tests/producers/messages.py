"""Messages as producers take them, and as a line of text that a process of another language can read."""

from base64 import b64decode, b64encode
from dataclasses import dataclass

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What is given to a producer; where it goes is for its partitioner to say."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True, order=True)
class Ack:
    """Where a message is on the topic, once it is acknowledged."""

    partition: int
    offset: int


def to_line(message: Message) -> bytes:
    """Key, value and NAME=VALUE for each header, separated by tabs; in Base64, "-" for null. Ends with a newline."""
    fields = [_encoded(message.key), _encoded(message.value)]
    fields += [name.encode() + b"=" + _encoded(value) for name, value in message.headers]
    return b"\t".join(fields) + b"\n"


def from_line(line: bytes) -> Message:
    """The inverse of ``to_line``."""
    key, value, *headers = line.rstrip(b"\n").split(b"\t")
    split = [header.split(b"=", 1) for header in headers]
    return Message(_decoded(key), _decoded(value), tuple((name.decode(), b64decode(data)) for name, data in split))


def _encoded(data: bytes | None) -> bytes:
    return b"-" if data is None else b64encode(data)


def _decoded(field: bytes) -> bytes | None:
    return None if field == b"-" else b64decode(field)

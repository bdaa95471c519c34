"""JSON lines to messages: each line is a foreign record, whose key decides its partition."""

from collections.abc import Iterator
from typing import Any

import msgspec

from ingest.log import Message
from schemas.records import CONTENT_TYPE_HEADER

JSON_HEADERS = ((CONTENT_TYPE_HEADER, b"application/json"),)
MAX_LINE_BYTES = 128 << 20
_MARK = b"\xef\xbb\xbf"
_NULL = b"null"


class LineError(Exception):
    """A line that can't be sent. ``number`` counts from 1."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"line {number}: {reason}")
        self.number = number
        self.reason = reason


class LineSplitter:
    """Lines from chunks of bytes, numbered from 1. Blank lines count and are left out."""

    def __init__(self) -> None:
        self.number = 0
        self._rest: list[bytes] = []
        self._rest_bytes = 0

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """(number, line) of the lines that end in ``chunk``. Raises LineError when one has no end in sight."""
        if b"\n" not in chunk:
            self._rest.append(chunk)
            self._rest_bytes += len(chunk)
            if self._rest_bytes > MAX_LINE_BYTES:
                raise LineError(self.number + 1, f"more than {MAX_LINE_BYTES} bytes: is the input lines of JSON?")
            return
        lines = b"".join((*self._rest, chunk)).split(b"\n")
        last = lines.pop()
        self._rest, self._rest_bytes = [last], len(last)
        for line in lines:
            yield from self._number(line)

    def finish(self) -> Iterator[tuple[int, bytes]]:
        """The last line, where it has no end."""
        line = b"".join(self._rest)
        self._rest, self._rest_bytes = [], 0
        if line:
            yield from self._number(line)

    def _number(self, line: bytes) -> Iterator[tuple[int, bytes]]:
        self.number += 1
        if self.number == 1:
            line = line.removeprefix(_MARK)
        stripped = line.strip()
        if stripped:
            yield self.number, stripped


class LineParser:
    """What to send for a line."""

    def __init__(self, collection: str | None, key_field: str) -> None:
        """``collection``: what lines without ``collection_name`` are given. ``key_field``: where a line's key is."""
        raw, unset = msgspec.Raw | msgspec.UnsetType, msgspec.UNSET
        fields: list[tuple[str, Any, Any]] = [("collection", raw, unset)]
        names = {"collection": "collection_name"}
        if key_field != "collection_name":
            fields.append(("key", raw, unset))
            names["key"] = key_field
        self._decoder = msgspec.json.Decoder[Any](msgspec.defstruct("Line", fields, rename=names))
        self._key = "key" if "key" in names else "collection"
        self._collection = collection
        self._added = b"" if collection is None else b'{"collection_name":' + msgspec.json.encode(collection)

    def message(self, number: int, line: bytes) -> Message:
        """The message for a line, which has no space around it. Raises LineError."""
        try:
            fields = self._decoder.decode(line)
            key = _key(getattr(fields, self._key))
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise LineError(number, _why(line, error)) from error
        value = line
        if fields.collection is msgspec.UNSET:
            if self._collection is None:
                raise LineError(number, "it has no collection_name, and no --collection was given")
            rest = line[1:].lstrip()
            value = self._added + (rest if rest == b"}" else b"," + rest)
        return Message(value, key, JSON_HEADERS)


def _key(value: msgspec.Raw | msgspec.UnsetType) -> bytes | None:
    """A string's text, or another value as it stands; None for none."""
    if value is msgspec.UNSET:
        return None
    raw = bytes(value)
    if raw == _NULL:
        return None
    return msgspec.json.decode(raw, type=str).encode() if raw.startswith(b'"') else raw


def _why(line: bytes, error: Exception) -> str:
    if line.startswith(b"{"):
        return f"it is not a JSON object: {error}"
    return "it is not a JSON object"

"""Rejected records as lines: for people, and as JSON."""

import base64
from datetime import UTC, datetime
from typing import Any

import msgspec

from compose.rejected import Rejected
from ingest.points_topic import is_canonical

PREVIEW = 80
_encode = msgspec.json.Encoder().encode


def readable_line(rejected: Rejected) -> str:
    """Time, origin, key, reason and the beginning of the value."""
    record = rejected.record
    time = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
    key = "" if record.key is None else f" key {_short(record.key)}"
    origin = rejected.origin or "(not from Headwater)"
    return f"{time:%Y-%m-%d %H:%M:%S} {origin}{key}: {rejected.reason} | {_preview(rejected)}"


def json_line(rejected: Rejected) -> bytes:
    """Everything, as one JSON object; bytes that are no text as base64."""
    record = rejected.record
    line: dict[str, Any] = {
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "origin": None if rejected.origin is None else str(rejected.origin),
        "reason": rejected.reason,
        "outcomes": _json(rejected.outcomes),
        "left_out": rejected.left_out,
        "headers": {name: value.decode(errors="replace") for name, value in rejected.headers},
        **_named("key", record.key),
        **_named("value", record.value),
    }
    return _encode(line)


def _preview(rejected: Rejected) -> str:
    value = rejected.record.value
    if rejected.left_out is not None:
        return f"(left out: {rejected.left_out})"
    if value is None:
        return "(a tombstone)"
    if is_canonical(rejected.record):
        return f"(a canonical record of {len(value)} bytes)"
    return _short(value)


def _short(data: bytes) -> str:
    text = data[: PREVIEW + 1].decode(errors="replace")
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return printable[:PREVIEW] + "…" if len(data) > PREVIEW else printable


def _named(name: str, data: bytes | None) -> dict[str, Any]:
    if data is None:
        return {name: None}
    try:
        return {name: data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(data).decode()}


def _json(data: bytes | None) -> Any:
    try:
        return None if data is None else msgspec.json.decode(data)
    except msgspec.DecodeError:
        return None

"""Records of the log as JSON lines, for people and for jq."""

from typing import Any

import msgspec

from ingest.foreign import ForeignWrite
from ingest.log import LogRecord, Topic
from ingest.points_topic import decode_points_record
from schemas.errors import HeadwaterError
from schemas.ids import ids_from_wire, render_point_id
from schemas.operations import Operation
from schemas.records import PointsRecord, decode_catalog_record
from schemas.vectors.registry import VectorColumn

_encode = msgspec.json.Encoder().encode


def record_line(topic: Topic, record: LogRecord) -> bytes:
    """One record as a JSON object, without a line end. What can't be read is shown with the reason."""
    line: dict[str, Any] = {
        "topic": str(topic),
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
    }
    if record.headers:
        line["headers"] = {name: value.decode(errors="replace") for name, value in record.headers}
    if record.key is not None:
        line["key"] = record.key.decode(errors="replace")
    try:
        line["record"] = _readable(topic, record)
    except HeadwaterError as error:
        line["unreadable"] = error.message
        line["bytes"] = len(record.value or b"")
    return _encode(line)


def _readable(topic: Topic, record: LogRecord) -> Any:
    if topic is Topic.CATALOG:
        return msgspec.to_builtins(decode_catalog_record(record.value or b""))
    decoded = decode_points_record(record)
    if isinstance(decoded, ForeignWrite):
        shown = {"type": "foreign", "collection_name": decoded.collection}
        return {**shown, "value": None if record.value is None else _json(record.value)}
    if not isinstance(decoded, PointsRecord):
        return msgspec.to_builtins(decoded)
    shown: dict[str, Any] = {"type": "points", "uid": decoded.uid, "shard": decoded.shard}
    if decoded.origin is not None:
        shown["origin"] = msgspec.structs.asdict(decoded.origin)
    return {**shown, "ops": [_operation(op) for op in decoded.ops]}


def _operation(op: Operation) -> dict[str, Any]:
    shown: dict[str, Any] = {"op": op.__struct_config__.tag}
    for field in op.__struct_fields__:
        value: Any = getattr(op, field)
        if value is None:
            continue
        if field == "ids":
            shown[field] = [render_point_id(i) for i in ids_from_wire(value)]
        elif field == "vectors":
            shown[field] = {name: _vectors(column) for name, column in value.items()}
        elif field == "payload":
            shown[field] = _json(value)
        elif field == "payloads":
            shown[field] = [_json(payload or b"null") for payload in value]
        else:
            shown[field] = value
    return shown


def _vectors(column: VectorColumn) -> dict[str, Any]:
    try:
        values = column.listed()
    except ValueError:
        return {"bytes": column.size(), "rows": column.rows}
    return {"values": values} if column.rows is None else {"rows": column.rows, "values": values}


def _json(text: bytes) -> msgspec.Raw | str:
    """JSON on one line, in UTF-8; as text where it is none."""
    readable = text.decode(errors="replace")
    try:
        return msgspec.Raw(msgspec.json.format(readable, indent=-1).encode())
    except (msgspec.DecodeError, RecursionError):
        return readable

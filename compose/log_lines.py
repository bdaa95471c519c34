"""Records of the log as JSON lines, for people and for jq."""

from typing import Any

import msgspec
import numpy as np

from ingest.log import LogRecord, Topic
from schemas.errors import BadInputError
from schemas.ids import ids_from_wire, render_point_id
from schemas.operations import Operation, VectorColumn
from schemas.records import PointsRecord, decode_catalog_record, decode_partition_record

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
    try:
        line["record"] = _readable(topic, record.value or b"")
    except BadInputError as error:
        line["unreadable"] = error.message
        line["bytes"] = len(record.value or b"")
    return _encode(line)


def _readable(topic: Topic, value: bytes) -> Any:
    if topic is Topic.CATALOG:
        return msgspec.to_builtins(decode_catalog_record(value))
    record = decode_partition_record(value)
    if not isinstance(record, PointsRecord):
        return msgspec.to_builtins(record)
    ops = [_operation(op) for op in record.ops]
    return {"type": "points", "uid": record.uid, "shard": record.shard, "ops": ops}


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
            shown[field] = msgspec.Raw(value)
        elif field == "payloads":
            shown[field] = [msgspec.Raw(payload or b"null") for payload in value]
        else:
            shown[field] = value
    return shown


def _vectors(column: VectorColumn) -> dict[str, Any]:
    rows = np.frombuffer(column.data, dtype="<f4").reshape(-1, column.dim).tolist()
    return {"values": rows} if column.rows is None else {"rows": column.rows, "values": rows}

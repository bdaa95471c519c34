"""Reading the records of the points topic, canonical and foreign."""

import msgspec

from ingest.foreign.bodies import Body, decode_request
from ingest.foreign.shape import is_canonical
from ingest.foreign.tombstone import read_tombstone
from ingest.foreign.writes import ForeignWrite, PointWrite, RequestWrite
from ingest.log import LogRecord
from schemas.errors import BadInputError
from schemas.records import PartitionRecord, decode_partition_record
from schemas.rest.decode import decode_body

_body_decoder = msgspec.json.Decoder(Body)


def decode_points_record(record: LogRecord) -> PartitionRecord | ForeignWrite:
    """What a message on the points topic says. Raises BadInputError, UnprocessableError when it can't be read."""
    if is_canonical(record):
        return decode_partition_record(record.value or b"")
    return decode_foreign(record)


def decode_foreign(record: LogRecord) -> ForeignWrite:
    """Read a foreign record. Raises BadInputError, UnprocessableError when it is none."""
    value = record.value
    if value is None:
        return read_tombstone(record.key, record.headers)
    body = decode_body(_body_decoder, value)
    kind = body.kind()
    if kind is not None:
        request, make = decode_request(kind, value)
        return RequestWrite(body.collection_name, request, make)
    if body.id is msgspec.UNSET:
        raise BadInputError("Wrong input: id: missing, and none of `points`, `batch`, `operations`, `operation` either")
    if body.vector is msgspec.UNSET:
        raise BadInputError("Wrong input: vector: missing")
    return PointWrite(body.collection_name, body.id, body.vector, body.payload)

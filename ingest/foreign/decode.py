"""Reading foreign records."""

import msgspec

from ingest.foreign.bodies import Body, decode_request
from ingest.foreign.tombstone import read_tombstone
from ingest.foreign.unknown import count_unknown
from ingest.foreign.writes import ForeignWrite, PointWrite, RequestWrite
from ingest.log import LogRecord
from schemas.config import check_name_length
from schemas.errors import BadInputError
from schemas.rest.decode import decode_body

_point_decoder = msgspec.json.Decoder(PointWrite)
_body_decoder = msgspec.json.Decoder(Body)


def decode_foreign(record: LogRecord) -> ForeignWrite:
    """Read a foreign record. Raises BadInputError, UnprocessableError when it is none."""
    value = record.value
    write = read_tombstone(record.key, record.headers) if value is None else _decode_value(value)
    # What is not at home is kept with this name until it is forwarded.
    check_name_length(write.collection)
    return write


def _decode_value(value: bytes) -> ForeignWrite:
    try:
        return _point_decoder.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _decode_body(value)


def _decode_body(value: bytes) -> ForeignWrite:
    """What is more than one point, or says why it is nothing."""
    body = decode_body(_body_decoder, value)
    kind = body.kind()
    if kind is not None:
        request, make = decode_request(kind, value)
        count_unknown(value)
        return RequestWrite(body.collection_name, request, make)
    if body.id is msgspec.UNSET:
        raise BadInputError("Wrong input: id: missing, and none of `points`, `batch`, `operations`, `operation` either")
    if body.vector is msgspec.UNSET:
        raise BadInputError("Wrong input: vector: missing")
    count_unknown(value)
    return PointWrite(body.collection_name, body.id, body.vector, body.payload)

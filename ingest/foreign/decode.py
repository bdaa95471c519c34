"""Reading the records of the points topic, canonical and foreign.

How deep a decoder can follow what is nested depends on how deep the stack is already. Whether a record can be read must
not, so where the stack was too deep, one that is fresh decides.
"""

from threading import Thread

import msgspec

from ingest.foreign.bodies import Body, decode_request
from ingest.foreign.shape import is_canonical, says_canonical
from ingest.foreign.tombstone import read_tombstone
from ingest.foreign.unknown import count_unknown
from ingest.foreign.writes import ForeignWrite, PointWrite, RequestWrite
from ingest.log import LogRecord
from schemas.config import check_name_length
from schemas.errors import BadInputError, HeadwaterError, TooLargeError
from schemas.records import NewerRecordError, PartitionRecord, decode_partition_record
from schemas.rest.decode import decode_body

_point_decoder = msgspec.json.Decoder(PointWrite)
_body_decoder = msgspec.json.Decoder(Body)


def decode_points_record(record: LogRecord) -> PartitionRecord | ForeignWrite:
    """What a message on the points topic says. Raises HeadwaterError when it can't be read."""
    try:
        return _decode(record)
    except HeadwaterError as error:
        if not isinstance(error.__cause__, RecursionError):
            raise
    return _decode_on_a_fresh_stack(record)


def _decode(record: LogRecord) -> PartitionRecord | ForeignWrite:
    if record.unread:
        raise TooLargeError(record.unread)
    if not is_canonical(record):
        return decode_foreign(record)
    try:
        return decode_partition_record(record.value or b"")
    except BadInputError as error:
        if isinstance(error, NewerRecordError) or says_canonical(record):
            raise
        reason = f"the value is neither a JSON object nor a record of Headwater's ({error.message})"
        raise BadInputError(reason) from error.__cause__


def _decode_on_a_fresh_stack(record: LogRecord) -> PartitionRecord | ForeignWrite:
    found: list[PartitionRecord | ForeignWrite | HeadwaterError] = []

    def decode() -> None:
        try:
            found.append(_decode(record))
        except HeadwaterError as error:
            found.append(error)

    thread = Thread(target=decode)
    thread.start()
    thread.join()
    (result,) = found
    if isinstance(result, HeadwaterError):
        raise result
    return result


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

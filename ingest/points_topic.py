"""What a message on the points topic is: a canonical record or a foreign one, by its content type, or else its shape.

How deep a decoder can follow what is nested depends on how deep the stack is already. Whether a record can be read must
not, so where the stack was too deep, one that is fresh decides.
"""

from functools import lru_cache
from threading import Thread

from ingest.foreign.decode import decode_foreign
from ingest.foreign.writes import ForeignWrite
from ingest.log import Headers, LogRecord
from schemas.errors import BadInputError, HeadwaterError, TooLargeError
from schemas.records import (
    CANONICAL_CONTENT_TYPE,
    CONTENT_TYPE_HEADER,
    REQUEST_CONTENT_TYPE,
    NewerRecordError,
    PartitionRecord,
    decode_partition_record,
)

_JSON_CONTENT_TYPE = b"application/json"
_OBJECT = b"{"
_JSON_SPACE = b" \t\r\n"


def is_of_request(record: LogRecord) -> bool:
    """Whether a write route put ``record`` on the log, whose client is told what becomes of it."""
    return (CONTENT_TYPE_HEADER, REQUEST_CONTENT_TYPE) in record.headers


def is_canonical(record: LogRecord) -> bool:
    """Whether ``record`` is to be read as a canonical record.

    Without a content type that says so, a message without a value is a tombstone, and one that begins as a JSON
    object does is foreign. No canonical record begins so.
    """
    said = says_canonical(record)
    if said is not None:
        return said
    value = record.value
    if value is None:
        return False
    return not value.startswith(_OBJECT) and not value.lstrip(_JSON_SPACE).startswith(_OBJECT)


def says_canonical(record: LogRecord) -> bool | None:
    """What the content type of ``record`` says; None where it has none that is known."""
    return _say_canonical(record.headers)


@lru_cache(maxsize=8)
def _say_canonical(headers: Headers) -> bool | None:
    for name, value in headers:
        if name.lower() == CONTENT_TYPE_HEADER:
            kind = value.partition(b";")[0].strip().lower()
            if kind == CANONICAL_CONTENT_TYPE:
                return True
            if kind == _JSON_CONTENT_TYPE:
                return False
    return None


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

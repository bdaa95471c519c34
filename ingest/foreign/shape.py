"""Canonical or foreign: by the content-type header, else by the shape of the value."""

from ingest.log import LogRecord
from schemas.records import CANONICAL_CONTENT_TYPE, CONTENT_TYPE_HEADER, REQUEST_CONTENT_TYPE

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
    for name, value in record.headers:
        if name.lower() == CONTENT_TYPE_HEADER:
            kind = value.partition(b";")[0].strip().lower()
            if kind == CANONICAL_CONTENT_TYPE:
                return True
            if kind == _JSON_CONTENT_TYPE:
                return False
    return None

"""Foreign records, as JSON and as messages."""

from typing import Any

import msgspec

from ingest.foreign import ForeignWrite
from ingest.log import Headers, LogRecord
from ingest.points_topic import decode_points_record
from schemas.config import UNNAMED, CollectionConfig, Distance, VectorParams
from schemas.errors import BadInputError, UnprocessableError

PLAIN = CollectionConfig({UNNAMED: VectorParams(2, Distance.DOT)})
NAMED = CollectionConfig({"image": VectorParams(2, Distance.DOT), "text": VectorParams(1, Distance.COSINE)})


def message(value: bytes | None, key: bytes | None = None, headers: Headers = ()) -> LogRecord:
    """A message on the points topic."""
    return LogRecord(0, 0, 0, key, value, headers)


def json_message(**fields: Any) -> LogRecord:
    """A message with a JSON object."""
    return message(msgspec.json.encode(fields))


def reason(record: LogRecord, config: CollectionConfig = PLAIN) -> str:
    """Why a record that ought to be foreign is refused; empty when it isn't."""
    try:
        write = decode_points_record(record)
    except (BadInputError, UnprocessableError) as error:
        return error.message
    assert isinstance(write, ForeignWrite)
    try:
        write.operations(config)
    except (BadInputError, UnprocessableError) as error:
        return error.message
    return ""

"""Windows: as many records as are read and decoded together, so that what they have alike is decoded at once."""

from collections.abc import Iterator, Sequence

from ingest.foreign import ForeignWrite, decode_points_record
from ingest.foreign.packed import pack_points
from ingest.foreign.writes import PointWrite
from ingest.log import LogRecord
from projector.fold.effects import StateReader
from projector.fold.outcomes import rejected
from projector.fold.run import DecodedRecord
from schemas.config import UNNAMED
from schemas.errors import HeadwaterError
from schemas.operations import Outcome
from schemas.records import PartitionRecord

MOST_RECORDS = 1000
MOST_BYTES = 2 << 20
"""Together some tens of milliseconds of work, as others wait for their turn."""


def windows(records: Sequence[LogRecord]) -> Iterator[Sequence[LogRecord]]:
    """``records`` in pieces, in order."""
    start = size = 0
    for at, record in enumerate(records):
        if at > start and (at - start == MOST_RECORDS or size >= MOST_BYTES):
            yield records[start:at]
            start, size = at, 0
        size += len(record.value or b"")
    if start < len(records):
        yield records[start:]


def decode_window(reader: StateReader, records: Sequence[LogRecord]) -> list[DecodedRecord]:
    """The records decoded; a rejected outcome where that is all there is to say of one.

    What the state says of collections is used only to decode ahead of time what they most likely take.
    """
    decoded: list[DecodedRecord] = [decode(record) for record in records]
    for name, places in _single_points(decoded).items():
        home = reader.home(name)
        if home is None or home.config.vectors.keys() != {UNNAMED}:
            continue
        shards = len(home.shard_map)
        if len(home.shards) < shards:
            places = {at: write for at, write in places.items() if write.home(shards) in home.shards}
        packed = pack_points(home.config.vectors[UNNAMED].size, list(places.values()))
        for at, point in zip(places, packed, strict=True):
            decoded[at] = point
    return decoded


def _single_points(decoded: Sequence[DecodedRecord]) -> dict[str, dict[int, PointWrite]]:
    """Single points by collection, each by its place."""
    found: dict[str, dict[int, PointWrite]] = {}
    for at, record in enumerate(decoded):
        if isinstance(record, PointWrite):
            found.setdefault(record.collection, {})[at] = record
    return found


def decode(record: LogRecord) -> PartitionRecord | ForeignWrite | Outcome:
    """One record decoded, or the rejected outcome of one that can't be read."""
    try:
        return decode_points_record(record)
    except HeadwaterError as error:
        return rejected(error)

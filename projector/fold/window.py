"""Windows: as many records as are read and decoded together, so that what they have alike is decoded at once."""

from collections.abc import Iterator, Sequence

from ingest.foreign import ForeignWrite
from ingest.foreign.writes import PointWrite
from ingest.log import LogRecord
from ingest.outcomes import rejected
from ingest.points_topic import decode_points_record
from projector.fold.effects import StateReader
from projector.fold.packed import DecodedRecord, PackedPoint, pack_canonical, pack_foreign
from schemas.errors import HeadwaterError
from schemas.operations import Outcome
from schemas.records import PartitionRecord, PointsRecord
from schemas.vectors.plain import only_plain

MOST_RECORDS = 1000
MOST_BYTES = 1 << 19
"""Together some milliseconds of work, as others wait for their turn."""


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
    points: list[int] = []
    writes: dict[str, list[int]] = {}
    for at, record in enumerate(decoded):
        if isinstance(record, PointWrite):
            writes.setdefault(record.collection, []).append(at)
        elif isinstance(record, PointsRecord):
            points.append(at)
    for name, places in writes.items():
        _pack_foreign(reader, name, decoded, places)
    if points:
        found = pack_canonical([record for at in points if isinstance(record := decoded[at], PointsRecord)])
        _put(decoded, points, found)
    return decoded


def _pack_foreign(reader: StateReader, name: str, decoded: list[DecodedRecord], places: Sequence[int]) -> None:
    """Pack the points of a collection, at ``places``, that are at home here."""
    home = reader.home(name)
    plain = None if home is None else only_plain(home.config)
    if home is None or plain is None:
        return
    found = [(at, write) for at in places if isinstance(write := decoded[at], PointWrite)]
    shards = len(home.shard_map)
    if len(home.shards) < shards:
        found = [(at, write) for at, write in found if write.home(shards) in home.shards]
    _put(decoded, [at for at, _ in found], pack_foreign(plain, [write for _, write in found]))


def _put(decoded: list[DecodedRecord], places: Sequence[int], packed: Sequence[PackedPoint | None]) -> None:
    for at, point in zip(places, packed, strict=True):
        if point is not None:
            decoded[at] = point


def decode(record: LogRecord) -> PartitionRecord | ForeignWrite | Outcome:
    """One record decoded, or the rejected outcome of one that can't be read."""
    try:
        return decode_points_record(record)
    except HeadwaterError as error:
        return rejected(error)

"""What foreign records become where they are at home: canonical records that say where they came from.

The same record becomes the same again, so far as homes tell records apart: in number and order.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from ingest.foreign import Destination, ForeignWrite
from ingest.foreign.writes import PointWrite
from ingest.log import LogRecord
from ingest.outcomes import rejected
from ingest.parser import each_vector_of
from ingest.points_topic import decode_points_record
from ingest.ports import CollectionEntry
from ingest.sharding import records_of
from ingest.writer import encode
from schemas.config import UNNAMED
from schemas.errors import BadInputError, HeadwaterError, NotFoundError
from schemas.ids import parse_point_id, shard_of, to_wire
from schemas.operations import Operation, Outcome, Upsert
from schemas.records import Origin, PointsRecord
from schemas.validation import decode_payload
from schemas.vectors.dense import DenseColumn
from schemas.vectors.plain import only_plain

_EMPTY = (b"null", b"{}")


class Outgoing(NamedTuple):
    """A foreign record of the points topic, and what of it is not at home where it landed."""

    record: LogRecord
    destination: Destination


class Forwarded(NamedTuple):
    """A record for the points partition ``home``."""

    home: int
    value: bytes


Entries = Mapping[int, CollectionEntry]
"""Collections by uid."""

_Parts = list[tuple[int, list[Operation]]]
"""(shard, operations) of each record."""


def forwarded(outgoing: Sequence[Outgoing], entries: Entries, max_record_bytes: int) -> list[list[Forwarded] | Outcome]:
    """What each of ``outgoing``, which are resolved, becomes, in order; an outcome for what is to be rejected.

    ``entries`` has their collections, but for those that are gone. Records have about ``max_record_bytes`` at most,
    unless a single point is larger.
    """
    decoded = [_decode(each, entries) for each in outgoing]
    found = _plain_points(outgoing, entries, decoded)
    records: list[list[Forwarded] | Outcome] = []
    for each, what, parts in zip(outgoing, decoded, found, strict=True):
        try:
            records.append(_records(each, entries, what, parts, max_record_bytes))
        except HeadwaterError as error:
            records.append(rejected(error))
    return records


def _decode(each: Outgoing, entries: Entries) -> ForeignWrite | HeadwaterError:
    record, destination = each
    if destination.uid not in entries:
        return NotFoundError(f"Not found: Collection `{destination.name}` doesn't exist!")
    try:
        decoded = decode_points_record(record)
    except HeadwaterError as error:
        return error
    if isinstance(decoded, ForeignWrite):
        return decoded
    return BadInputError("a canonical record is not forwarded: it names its shard")


def _plain_points(
    outgoing: Sequence[Outgoing], entries: Entries, decoded: Sequence[ForeignWrite | HeadwaterError]
) -> list[_Parts | None]:
    """What single points become that are plainly right, those of a collection read together; None for all others."""
    points: dict[int, list[tuple[int, PointWrite]]] = {}
    for at, (what, (_, destination)) in enumerate(zip(decoded, outgoing, strict=True)):
        if isinstance(what, PointWrite) and destination.uid is not None:
            points.setdefault(destination.uid, []).append((at, what))
    found: list[_Parts | None] = [None] * len(outgoing)
    for uid, some in points.items():
        plain = only_plain(entries[uid].config)
        if plain is not None and entries[uid].shard_map:
            rows = each_vector_of([write.vector for _, write in some], plain.dim)
            for (at, write), row in zip(some, rows, strict=True):
                found[at] = None if row is None else _plain_point(write, plain.plain(row), entries[uid])
    return found


def _plain_point(write: PointWrite, column: DenseColumn, entry: CollectionEntry) -> _Parts | None:
    try:
        point = parse_point_id(write.id)
        payload = b"" if write.payload is msgspec.UNSET else bytes(write.payload)
        decode_payload(payload)
    except BadInputError:
        return None
    payloads = None if not payload or payload in _EMPTY else [payload]
    return [(shard_of(point, len(entry.shard_map)), [Upsert([to_wire(point)], {UNNAMED: column}, payloads)])]


def _records(
    each: Outgoing,
    entries: Entries,
    what: ForeignWrite | HeadwaterError,
    parts: _Parts | None,
    max_record_bytes: int,
) -> list[Forwarded]:
    """Raises HeadwaterError for what is to be rejected."""
    if isinstance(what, HeadwaterError):
        raise what
    entry = entries[each.destination.uid or 0]
    if not entry.shard_map:
        raise BadInputError("Wrong input: Shard key not specified, and foreign records can't name one")
    if parts is None:
        parts = records_of(what.operations(entry.config), len(entry.shard_map), max_record_bytes)
    shards = each.destination.shards or ()
    return _stamped(each.record, entry, [part for part in parts if part[0] in shards])


def _stamped(record: LogRecord, entry: CollectionEntry, parts: _Parts) -> list[Forwarded]:
    """Canonical records with their origin, which numbers those of each home from 0, without a gap."""
    counts: dict[int, int] = {}
    found: list[Forwarded] = []
    for shard, ops in parts:
        home = entry.shard_map[shard]
        index = counts.get(home, 0)
        counts[home] = index + 1
        origin = Origin(record.partition, record.offset, index)
        found.append(Forwarded(home, encode(PointsRecord(uid=entry.uid, shard=shard, ops=ops, origin=origin))))
    return found

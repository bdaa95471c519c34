"""What the fold reads and what it gives: the reader's protocol, a shard's meta, effects, the cursor."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec

from ingest.foreign import Destination
from projector.frames import Event, ShardId
from schemas.config import CollectionConfig
from schemas.ids import PointId, WireId
from schemas.matching import EVALUATOR_VERSION
from schemas.operations import Outcome
from schemas.records import Origin

FOLD_VERSION = f"6/{EVALUATOR_VERSION}"
"""Changes when the same log would fold to something else: encodings, payload edits, the evaluator's version.

``projector.state.fold_history`` says from which earlier ones this one goes on.
"""


class ShardMeta(msgspec.Struct, frozen=True):
    """What the state keeps of a shard beside its points. ``version`` is the last one given out.

    ``opened``: where the marker stood with which it became at home here.
    """

    name: str
    config: CollectionConfig
    shard_map: list[int]
    version: int = 0
    opened: int = 0

    def is_younger_than(self, origin: Origin | None, shard: int) -> bool:
        """Whether ``origin`` is in this very partition, the home of ``shard``, ahead of where that was opened.

        Then the router found a collection that was not there yet, and what the same producer wrote since may have been
        applied: what it wrote before must not come after that.
        """
        return origin is not None and origin.offset < self.opened and origin.partition == self.shard_map[shard]


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a record goes on that is applied in several chunks.

    ``op`` is the operation's index; ``after`` the last id looked at by its filter (None: from the first), ``done`` how
    many of the ids it lists are done, ``missing`` the first of those that is not there;
    ``chunk`` counts the chunks written so far; ``outcomes`` are those of the operations before. In a foreign record
    ``part`` counts the shards at home that have had theirs, and ``merged`` are the outcomes of its operations there.
    """

    offset: int
    op: int
    chunk: int
    outcomes: list[Outcome]
    after: WireId | None = None
    done: int = 0
    missing: WireId | None = None
    part: int = 0
    merged: list[Outcome] = []


class Home(NamedTuple):
    """A collection of which shards are at home in a partition: ``shards`` are those, ascending."""

    uid: int
    config: CollectionConfig
    shard_map: Sequence[int]
    shards: Sequence[int]


class StateReader(Protocol):
    """The state as of the last commit."""

    @property
    def marker_seq(self) -> int:
        """The highest marker sequence number applied."""
        ...

    def shard(self, shard: ShardId) -> ShardMeta | None:
        """The shard's meta, None when it isn't at home here."""
        ...

    def home(self, name: str) -> Home | None:
        """The collection of that name, None when none of its shards is at home here."""
        ...

    def watermark(self, partition: int) -> Origin | None:
        """The last origin in ``partition`` of which a forwarded record was applied; None when none was."""
        ...

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> Sequence[bytes | None]:
        """The stored points, None where there is none."""
        ...

    def scan(self, shard: ShardId, after: PointId | None) -> Iterator[tuple[PointId, bytes]]:
        """The shard's points with an id above ``after``, in id order."""
        ...


class ShardEffects(msgspec.Struct):
    """What becomes of a shard. ``points``: None where one was deleted.

    A struct, as every write makes one, and of ``Effects``: a data class takes several times as long to make.
    """

    shard: ShardId
    points: dict[PointId, bytes | None] = {}
    meta: ShardMeta | None = None
    closed: bool = False
    events: list[Event] = []


class Effects(msgspec.Struct):
    """What records that are folded together do to the state, the last of them at ``offset``; or a chunk of one.

    ``refused``: by offset, the outcomes of records of which one is a rejection. ``outbox``: what of the record at an
    offset is not at home here. ``watermarks``: by partition, the origin of the last forwarded record. With a ``cursor``
    the record goes on there, and these are those of its chunk number ``chunk``.
    """

    offset: int = -1
    shards: list[ShardEffects] = []
    refused: dict[int, list[Outcome]] = {}
    outbox: list[tuple[int, Destination]] = []
    watermarks: dict[int, Origin] = {}
    marker_seq: int | None = None
    cursor: Cursor | None = None
    chunk: int = 0

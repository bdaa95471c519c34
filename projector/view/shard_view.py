"""ShardView: a reader's picture of a shard at one offset."""

from dataclasses import dataclass
from functools import cached_property

from projector.frames import ShardId
from projector.view.part import Part
from projector.view.segment_part import SegmentPart
from projector.view.tail_part import TailPart
from schemas.config import CollectionConfig
from schemas.ids import PointId


@dataclass(frozen=True, eq=False)
class ShardView:
    """An immutable handle: exactly the shard's points at ``offset``. Any thread may read it, for as long as it likes.

    A row of a part is visible when it was there at the offset and died after it. Every point is alive in one part.
    """

    shard: ShardId
    config: CollectionConfig
    offset: int
    segments: tuple[SegmentPart, ...]
    tail: TailPart

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The segments, then the tail unless it is empty."""
        return (*self.segments, self.tail) if self.tail.size else self.segments

    @cached_property
    def count(self) -> int:
        """How many points there are."""
        return sum(part.alive_count for part in self.parts)

    def find(self, point_id: PointId) -> tuple[Part, int] | None:
        """The part and slot where a point is, None when there is no such point."""
        for part in reversed(self.parts):
            slot = part.find(point_id)
            if slot >= 0:
                return part, slot
        return None

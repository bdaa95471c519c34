"""ShardView: a reader's picture of a shard at one offset."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from projector.frames import ShardId
from projector.vectors.kind import Vectors
from projector.view.part import Part
from projector.view.segment_part import SegmentPart
from projector.view.tail_part import TailPart
from schemas.config import CollectionConfig
from schemas.ids import PointId


class Held(NamedTuple):
    """One name's vectors in a part, by its number among the view's parts."""

    number: int
    part: Part
    vectors: Vectors


@dataclass(frozen=True, eq=False)
class ShardView:
    """An immutable handle: exactly the shard's points at ``offset``. Any thread may read it, for as long as it likes.

    A row of a part is visible when it was there at the offset and died after it. Every point is alive in one part.
    """

    shard: ShardId
    config: CollectionConfig
    offset: int
    segments: tuple[SegmentPart, ...]
    tails: tuple[TailPart, ...]
    """Oldest first; any may be empty."""

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The segments, then the tails that aren't empty."""
        return (*self.segments, *[tail for tail in self.tails if tail.size])

    @property
    def tail_rows(self) -> int:
        """How many rows the tails have, those of dead points included."""
        return sum([tail.size for tail in self.tails])

    @cached_property
    def count(self) -> int:
        """How many points there are."""
        return sum(part.alive_count for part in self.parts)

    def holding(self, name: str) -> Sequence[Held]:
        """The parts that have vectors of a name, with these, in the order of ``parts``."""
        known = self._holding.get(name)
        if known is None:
            there = ((number, part, part.vectors(name)) for number, part in enumerate(self.parts))
            known = tuple(Held(number, part, held) for number, part, held in there if held is not None)
            self._holding[name] = known
        return known

    @cached_property
    def _holding(self) -> dict[str, tuple[Held, ...]]:
        return {}

    def find(self, point_id: PointId) -> tuple[Part, int] | None:
        """The part and slot where a point is, None when there is no such point."""
        for part in reversed(self.parts):
            slot = part.find(point_id)
            if slot >= 0:
                return part, slot
        return None

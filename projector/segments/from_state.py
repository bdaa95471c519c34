"""What a damaged segment held, from the state: its ids are in it, and what belongs to them is there."""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from projector.segments.errors import BuildFailedError
from projector.segments.reader import Segment
from projector.segments.spill import SpillWriter
from projector.slices import read_slices
from projector.view.segment_part import SegmentPart
from schemas.ids import PointId

STATE_POINTS = 100
"""So many at most are read from a state at once, on the loop."""


async def spill_slots(
    spill: SpillWriter, part: SegmentPart, points: Callable[[Sequence[PointId]], list[bytes | None]]
) -> None:
    """Append what ``points`` gives for the ids that are alive in ``part``, None being none; others get their turn."""
    alive = np.flatnonzero(part.alive_mask())
    for at in range(0, len(alive), STATE_POINTS):
        for ids, stored in read_slices(part.ids_at(alive[at : at + STATE_POINTS]), points):
            found = [(i, p) for i, p in zip(ids, stored, strict=True) if p is not None]
            await asyncio.to_thread(spill.add, [i for i, _ in found], [p for _, p in found])


def refuse_less(base: SegmentPart, now: SegmentPart, built: Segment | None) -> None:
    """Raise BuildFailedError unless ``built`` has every point that ``base``, which it was built from, has ``now``."""
    died = base.ids_at(np.flatnonzero(base.alive_mask() & now.dead_mask()))
    kept = 0 if built is None else built.size - int(np.count_nonzero(built.slots_of(died) >= 0))
    if kept < now.alive_count:
        raise BuildFailedError(
            f"{base.segment.folder} is damaged, and {now.alive_count - kept} of its points are not in the state, or its"
            " ids are damaged too: the next start rebuilds the whole shard from the state"
        )

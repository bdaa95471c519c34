"""LiveShard: takes in changes and makes one view after another."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from projector.frames import ShardId
from projector.segments.placement import Placement
from projector.segments.reader import Segment
from projector.view.growing import GrowingArray
from projector.view.live_tails import LiveTails
from projector.view.part import ALIVE, died_since
from projector.view.segment_part import SegmentPart
from projector.view.shard_view import ShardView
from schemas.config import CollectionConfig
from schemas.ids import PointId


class LiveSegment:
    """A segment whose slots keep dying: ``dead_at``, uint64 [size], shared with the views."""

    def __init__(self, segment: Segment, dead_at: NDArray[np.uint64]) -> None:
        self.segment = segment
        self.dead_at = dead_at
        self.placement = Placement(segment)
        self._dead: GrowingArray[np.uint32] = GrowingArray(np.uint32)
        self._dead.extend(np.flatnonzero(dead_at != ALIVE).astype(np.uint32))

    @property
    def alive_count(self) -> int:
        """How many slots are alive."""
        return self.segment.size - self._dead.size

    def kill(self, ids: Sequence[PointId], offset: int) -> bool:
        """Let the points with these ids die at ``offset`` where they are alive. Returns whether any were."""
        slots = self.segment.slots_of(ids)
        slots = slots[slots >= 0]
        # Most segments have none of the points that are written.
        return len(slots) > 0 and self.let_die(slots, offset) > 0

    def kill_one(self, point_id: PointId, offset: int) -> bool:
        """``kill`` of one point."""
        slot = self.segment.slot_of(point_id)
        if slot < 0 or self.dead_at[slot] != ALIVE:
            return False
        self.dead_at[slot] = offset
        self._dead.fill(1, np.uint32(slot))
        return True

    def let_die(self, slots: NDArray[np.int64], offsets: NDArray[np.uint64] | int) -> int:
        """Let distinct slots die at ``offsets`` where they are alive. Returns how many were."""
        alive = self.dead_at[slots] == ALIVE
        dying = slots[alive]
        self.dead_at[dying] = offsets if isinstance(offsets, int) else offsets[alive]
        self._dead.extend(dying.astype(np.uint32))
        return len(dying)

    def part(self, config: CollectionConfig, offset: int) -> SegmentPart:
        """The segment with everything that is staged."""
        return SegmentPart(self.segment, config, self.dead_at, offset, self.alive_count, self._dead.all())

    def part_as_of(self, config: CollectionConfig, offset: int) -> SegmentPart:
        """The segment without what is staged after ``offset``."""
        return SegmentPart(self.segment, config, self.dead_at, offset)


class LiveShard:
    """Changes are staged by ``apply`` and become visible together, in a new view, with ``publish``.

    All methods run on one thread; others only hold views.
    """

    def __init__(
        self,
        shard: ShardId,
        config: CollectionConfig,
        segments: Sequence[tuple[Segment, NDArray[np.bool_]]],
        offset: int,
    ) -> None:
        """``segments`` with a mask each, bool [size], of what is deleted in them as of ``offset``."""
        self.shard = shard
        self._config = config
        self._segments = [LiveSegment(s, np.where(dead, np.uint64(0), ALIVE)) for s, dead in segments]
        self._place(self._segments)
        self._changed: set[LiveSegment] = set()
        self._tails = LiveTails(config, offset)
        self._staged_at = offset
        parts = tuple(s.part(config, offset) for s in self._segments)
        self.view = ShardView(shard, config, offset, parts, self._tails.parts)

    def apply(self, ids: Sequence[PointId], points: Sequence[bytes | None], offset: int) -> None:
        """Stage what the record at ``offset`` did: stored points, None where a point was deleted."""
        self._staged_at = offset
        if len(ids) == 1:
            self._apply_one(ids[0], points[0], offset)
            return
        if len(set(ids)) == len(ids):
            self._apply_distinct(ids, points, offset)
            return
        for chunk_ids, chunk_points in _distinct_chunks(ids, points):
            self._apply_distinct(chunk_ids, chunk_points, offset)

    def reconfigure(self, config: CollectionConfig, offset: int) -> None:
        """Stage another configuration."""
        self._staged_at = offset
        self._config = config
        self._tails.reconfigure(config)
        self._place(self._segments)
        self._changed.update(self._segments)

    def publish(self, offset: int) -> ShardView:
        """Make everything staged visible in a new view at ``offset``. Raises ValueError when that goes back."""
        if offset < max(self._staged_at, self.view.offset):
            raise ValueError(f"cannot publish at {offset}: changes are staged at {self._staged_at}")
        parts = zip(self._segments, self.view.segments, strict=True)
        segments = tuple(s.part(self._config, offset) if s in self._changed else known for s, known in parts)
        self._changed.clear()
        self.view = ShardView(self.shard, self._config, offset, segments, self._tails.publish(offset))
        return self.view

    @property
    def has_staged(self) -> bool:
        """Whether anything is staged that the view doesn't show."""
        return self._staged_at > self.view.offset

    def catch_up(self, offset: int) -> bool:
        """Have the view stand at ``offset`` or above. Returns whether it does: not where what is staged comes later."""
        if self._staged_at > offset:
            return False
        if self.view.offset < offset:
            self.publish(offset)
        return True

    def begin_seal(self) -> ShardView:
        """The view whose tails are to be sealed. What comes later goes into other tails, but for a little."""
        self._tails.begin_seal()
        return self.view

    def replace(
        self,
        base: ShardView,
        removed: Sequence[Segment],
        added: Sequence[Segment],
        tails_sealed: bool,
        *,
        same_slots: bool = False,
    ) -> ShardView:
        """Put segments that were built from ``base`` in place of ``removed`` and, if sealed, of the base's tails.

        The new view stands where the last one does and has the same points. What died since the base is dead in the
        new segments too; the rows that came since stay in tails. ``same_slots``: one segment was built from one, with
        its slots, dead ones too. Raises ValueError when a removed segment or a sealed tail is no longer part of this
        shard.
        """
        gone = [s for s in self._segments if any(s.segment is r for r in removed)]
        if len(gone) != len(removed) or (tails_sealed and not self._tails.begin_with(base.tails)):
            raise ValueError(f"shard {self.shard}: the segments to be replaced are no longer there")
        if same_slots:
            return self._put_in_place(gone, [LiveSegment(added[0], gone[0].dead_at.copy())])
        fresh = [LiveSegment(s, np.full(s.size, ALIVE)) for s in added]
        for segment in gone:
            died = died_since(segment.dead_at, base.offset)
            _carry_deaths(fresh, segment.segment.ids_at(died), segment.dead_at[died])
        if tails_sealed:
            self._cut_tails([tail.size for tail in base.tails], base.offset, fresh, keep_dead=False)
        return self._put_in_place(gone, fresh)

    def adopt(self, offset: int, segments: Sequence[tuple[Segment, NDArray[np.bool_]]]) -> ShardView:
        """Take the segments of a manifest in place of all others and of tail rows up to ``offset``, the manifest's.

        ``segments`` as for the constructor; those that are here already stay as they are. Where a merge left out
        points that died after ``offset``, the view must stand at or above their deaths. The new view stands where the
        last one does and has the same points. Raises ValueError when it stands below ``offset``.
        """
        if offset > self.view.offset:
            raise ValueError(f"shard {self.shard}: its view, at {self.view.offset}, is behind segments at {offset}")
        staying = {id(segment) for segment, _ in segments}
        gone = [s for s in self._segments if id(s.segment) not in staying]
        here = {id(s.segment) for s in self._segments}
        fresh = [LiveSegment(s, np.where(dead, np.uint64(0), ALIVE)) for s, dead in segments if id(s) not in here]
        for segment in gone:
            died = died_since(segment.dead_at, offset)
            _carry_deaths(fresh, segment.segment.ids_at(died), segment.dead_at[died])
        sealed = self._tails.rows_up_to(offset)
        # The next manifest may have what is dead by now as it was before: its deaths are known from these rows alone.
        if any(sealed):
            self._cut_tails(sealed, offset, fresh, keep_dead=True)
        return self._put_in_place(gone, fresh)

    def _put_in_place(self, gone: Sequence[LiveSegment], fresh: Sequence[LiveSegment]) -> ShardView:
        """The new view, of everything but what is ``gone``."""
        kept = [(s, p) for s, p in zip(self._segments, self.view.segments, strict=True) if s not in gone]
        self._segments = [*(s for s, _ in kept), *fresh]
        self._place(fresh)
        self._changed = {s for s in self._changed if s not in gone} | set(fresh)
        fresh_parts = (s.part_as_of(self.view.config, self.view.offset) for s in fresh)
        self.view = ShardView(
            self.shard, self.view.config, self.view.offset, (*(p for _, p in kept), *fresh_parts), self._tails.parts
        )
        return self.view

    def _place(self, segments: Sequence[LiveSegment]) -> None:
        for segment in segments:
            segment.placement.follow(self._config)

    def _apply_one(self, point_id: PointId, point: bytes | None, offset: int) -> None:
        """As ``_apply_distinct``: most writes are of one point, for which arrays take several times as long."""
        if not self._tails.kill_one(point_id, offset):
            self._changed.update([s for s in self._segments if s.kill_one(point_id, offset)])
        if point is not None:
            self._tails.append((point_id,), (point,), offset)

    def _apply_distinct(self, ids: Sequence[PointId], points: Sequence[bytes | None], offset: int) -> None:
        elsewhere = self._tails.kill(ids, offset)
        if elsewhere:
            self._changed.update(s for s in self._segments if s.kill(elsewhere, offset))
        present = [point for point in points if point is not None]
        if present:
            if len(present) < len(points):
                ids = [i for i, point in zip(ids, points, strict=True) if point is not None]
            self._tails.append(ids, present, offset)

    def _cut_tails(self, sealed: Sequence[int], offset: int, fresh: Sequence[LiveSegment], *, keep_dead: bool) -> None:
        """Leave out rows (``LiveTails.cut``) that ``fresh`` has as they were at ``offset``."""
        for ids, offsets in self._tails.cut(sealed, offset, self.view.offset, keep_dead=keep_dead):
            _carry_deaths(fresh, ids, offsets)


def _carry_deaths(segments: Sequence[LiveSegment], ids: Sequence[PointId], offsets: NDArray[np.uint64]) -> None:
    for segment in segments:
        slots = segment.segment.slots_of(ids)
        # What is dead there already was superseded before the point that died, which is elsewhere.
        found = slots >= 0
        segment.let_die(slots[found], offsets[found])


def _distinct_chunks(
    ids: Sequence[PointId], points: Sequence[bytes | None]
) -> list[tuple[list[PointId], list[bytes | None]]]:
    """Split where an id comes again, so that ids are distinct within each chunk."""
    chunks: list[tuple[list[PointId], list[bytes | None]]] = [([], [])]
    seen: set[PointId] = set()
    for point_id, point in zip(ids, points, strict=True):
        if point_id in seen:
            chunks.append(([], []))
            seen.clear()
        seen.add(point_id)
        chunks[-1][0].append(point_id)
        chunks[-1][1].append(point)
    return chunks

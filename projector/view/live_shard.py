"""LiveShard: takes in changes and makes one view after another."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from projector.frames import ShardId
from projector.segments.placement import Placement
from projector.segments.reader import Segment
from projector.view.growing import GrowingArray
from projector.view.part import ALIVE
from projector.view.segment_part import SegmentPart
from projector.view.shard_view import ShardView
from projector.view.tail import Tail
from projector.view.tail_part import TailPart
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
        return self.let_die(slots, offset) > 0

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

    All methods run on one thread; others only hold views. An id that has a row in the tail is dead in every segment.
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
        self._tail = Tail(config)
        self._tail_alive = 0
        self._tail_changed = False
        self._staged_at = offset
        parts = tuple(s.part(config, offset) for s in self._segments)
        tail = TailPart(self._tail, 0, offset, 0, config.payload_indexes)
        self.view = ShardView(shard, config, offset, parts, tail)

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
        self._tail.reconfigure(config)
        self._place(self._segments)
        self._changed.update(self._segments)
        self._tail_changed = True

    def publish(self, offset: int) -> ShardView:
        """Make everything staged visible in a new view at ``offset``. Raises ValueError when that goes back."""
        if offset < max(self._staged_at, self.view.offset):
            raise ValueError(f"cannot publish at {offset}: changes are staged at {self._staged_at}")
        parts = zip(self._segments, self.view.segments, strict=True)
        segments = tuple(s.part(self._config, offset) if s in self._changed else known for s, known in parts)
        tail = self.view.tail
        if self._tail_changed:
            tail = TailPart(self._tail, self._tail.size, offset, self._tail_alive, self._config.payload_indexes)
        self._changed.clear()
        self._tail_changed = False
        self.view = ShardView(self.shard, self._config, offset, segments, tail)
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

    def replace(
        self,
        base: ShardView,
        removed: Sequence[Segment],
        added: Sequence[Segment],
        tail_sealed: bool,
        *,
        same_slots: bool = False,
    ) -> ShardView:
        """Put segments that were built from ``base`` in place of ``removed`` and, if sealed, of the base's tail.

        The new view stands where the last one does and has the same points. What died since the base is dead in the
        new segments too; the tail keeps the rows that came since. ``same_slots``: one segment was built from one, with
        its slots, dead ones too. Raises ValueError when a removed segment or the sealed tail is no longer part of this
        shard.
        """
        gone = [s for s in self._segments if any(s.segment is r for r in removed)]
        if len(gone) != len(removed) or (tail_sealed and base.tail.tail is not self._tail):
            raise ValueError(f"shard {self.shard}: the segments to be replaced are no longer there")
        if same_slots:
            return self._put_in_place(gone, [LiveSegment(added[0], gone[0].dead_at.copy())], self.view.tail)
        fresh = [LiveSegment(s, np.full(s.size, ALIVE)) for s in added]
        for segment in gone:
            died = _died_since(segment.dead_at, base.offset)
            _carry_deaths(fresh, segment.segment.ids_at(died), segment.dead_at[died])
        tail = self.view.tail
        if tail_sealed:
            tail = self._cut_tail(base.tail.size, base.offset, fresh, keep_dead=False)
        return self._put_in_place(gone, fresh, tail)

    def adopt(self, offset: int, segments: Sequence[tuple[Segment, NDArray[np.bool_]]]) -> ShardView:
        """Take the segments of a manifest in place of all others and of the tail rows up to ``offset``, the manifest's.

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
            died = _died_since(segment.dead_at, offset)
            _carry_deaths(fresh, segment.segment.ids_at(died), segment.dead_at[died])
        sealed = self._tail.rows_up_to(offset)
        # The next manifest may have what is dead by now as it was before: its deaths are known from these rows alone.
        tail = self._cut_tail(sealed, offset, fresh, keep_dead=True) if sealed else self.view.tail
        return self._put_in_place(gone, fresh, tail)

    def _put_in_place(self, gone: Sequence[LiveSegment], fresh: Sequence[LiveSegment], tail: TailPart) -> ShardView:
        """The new view, of everything but what is ``gone``."""
        kept = [(s, p) for s, p in zip(self._segments, self.view.segments, strict=True) if s not in gone]
        self._segments = [*(s for s, _ in kept), *fresh]
        self._place(fresh)
        self._changed = {s for s in self._changed if s not in gone} | set(fresh)
        fresh_parts = (s.part_as_of(self.view.config, self.view.offset) for s in fresh)
        self.view = ShardView(
            self.shard, self.view.config, self.view.offset, (*(p for _, p in kept), *fresh_parts), tail
        )
        return self.view

    def _place(self, segments: Sequence[LiveSegment]) -> None:
        for segment in segments:
            segment.placement.follow(self._config)

    def _apply_one(self, point_id: PointId, point: bytes | None, offset: int) -> None:
        """As ``_apply_distinct``: most writes are of one point, for which arrays take several times as long."""
        row = self._tail.row_of(point_id, self._tail.size)
        if row < 0:
            self._changed.update([s for s in self._segments if s.kill_one(point_id, offset)])
        elif self._tail.kill_one(row, offset):
            self._tail_alive -= 1
            self._tail_changed = True
        if point is not None:
            self._tail.append((point_id,), (point,), offset)
            self._tail_alive += 1
            self._tail_changed = True

    def _apply_distinct(self, ids: Sequence[PointId], points: Sequence[bytes | None], offset: int) -> None:
        rows = self._tail.latest(ids)
        in_tail = rows >= 0
        if in_tail.any():
            self._tail_alive -= self._tail.kill(rows[in_tail], offset)
            self._tail_changed = True
        if self._segments and not in_tail.all():
            elsewhere = [i for i, row in zip(ids, rows.tolist(), strict=True) if row < 0]
            self._changed.update(s for s in self._segments if s.kill(elsewhere, offset))
        present = [point for point in points if point is not None]
        if present:
            if len(present) < len(points):
                ids = [i for i, point in zip(ids, points, strict=True) if point is not None]
            self._tail.append(ids, present, offset)
            self._tail_alive += len(present)
            self._tail_changed = True

    def _cut_tail(self, sealed: int, offset: int, fresh: Sequence[LiveSegment], *, keep_dead: bool) -> TailPart:
        """Leave out the first ``sealed`` rows, which ``fresh`` has as they were at ``offset``, and maybe dead ones."""
        dead_at = self._tail.dead_at(self._tail.size)
        died = _died_since(dead_at[:sealed], offset)
        _carry_deaths(fresh, self._tail.ids_at(died), dead_at[died])
        visible = self.view.offset
        needed = keep_dead | (dead_at[sealed:] > np.uint64(max(visible, 0)))
        rows = np.flatnonzero(needed) + sealed
        bound = int(np.searchsorted(rows, self.view.tail.size))
        self._tail = self._tail.keep(rows)
        kept_dead_at = self._tail.dead_at(self._tail.size)
        self._tail_alive = int(np.count_nonzero(kept_dead_at == ALIVE))
        self._tail_changed = True
        alive = int(np.count_nonzero(kept_dead_at[:bound] > np.uint64(max(visible, 0))))
        return TailPart(self._tail, bound, visible, alive, self.view.config.payload_indexes)


def _died_since(dead_at: NDArray[np.uint64], offset: int) -> NDArray[np.int64]:
    return np.flatnonzero((dead_at > np.uint64(max(offset, 0))) & (dead_at != ALIVE))


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

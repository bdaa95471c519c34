"""Carry out a plan: build outside, swap in the view; then write the manifest and delete what it doesn't name."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from projector.frames import ShardId
from projector.segments.build import UNFINISHED
from projector.segments.errors import BuildFailedError
from projector.segments.from_state import refuse_less, spill_slots
from projector.segments.manifest import Manifest, SegmentEntry, write_manifest
from projector.segments.policy import Plan
from projector.segments.reader import Segment
from projector.segments.shard_files import delete, segment_name, spill_path
from projector.segments.shard_work import ShardWork
from projector.segments.spec import BuildResult, BuildSpec, SegmentPiece, pack_mask
from projector.segments.spill import write_spill
from projector.view.segment_part import SegmentPart
from projector.view.shard_view import ShardView
from projector.view.tail_part import TailPart
from schemas.ids import PointId


class SealedState(Protocol):
    """What the optimizer asks of a partition's state."""

    async def sync(self) -> None:
        """Make what was committed survive power loss."""
        ...

    async def flush(self, least_bytes: int) -> None:
        """Move what is in memory into files, if it takes so many bytes."""
        ...

    def drop_changed(self, shard: ShardId, offset: int) -> None:
        """Forget which ids changed at or below ``offset``."""
        ...

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> list[bytes | None]:
        """Stored points by id, as they are now. Raises StateDamagedError."""
        ...


MakeReady = Callable[[Segment], None]
"""What is done with a segment before it joins a view, as it would hold up everyone later."""


class Builder(Protocol):
    """Builds segments; SegmentBuilder does it in processes of their own."""

    async def build(self, spec: BuildSpec, progress: Callable[[float], None]) -> BuildResult:
        """Build one. Raises BuildFailedError, SegmentDamagedError."""
        ...

    def let_go(self, *, graph: bool) -> None:
        """Nothing is to be built soon with graphs, or without."""
        ...


class Replacement:
    """One plan for one shard, at the view that stands when it is made."""

    def __init__(
        self, work: ShardWork, plan: Plan, state: SealedState, make_ready: MakeReady = Segment.load_graphs
    ) -> None:
        """``make_ready`` is called on a thread, with what was built."""
        self._make_ready = make_ready
        self._state = state
        self._work = work
        self._plan = plan
        view = work.live.begin_seal() if plan.seal else work.live.view
        self._parts = [p for p in view.segments if p.segment.name in plan.segments]
        # Only what is replaced: all else may leave the view long before a graph is built, and would be kept.
        self._base: ShardView = replace(view, segments=tuple(self._parts), tails=view.tails if plan.seal else ())
        number = work.take_number()
        self._target = work.folder / segment_name(number)
        self._spill = spill_path(work.folder, number)

    @property
    def _tails(self) -> list[TailPart]:
        return [tail for tail in self._base.tails if tail.alive_count] if self._plan.seal else []

    async def build(self, builder: Builder, progress: Callable[[float], None]) -> "Built":
        """Build the segment and open it. Raises BuildFailedError, SegmentDamagedError, OSError."""
        alive = any(part.alive_count for part in self._parts) or self._plan.columns
        if not self._tails and not alive:
            return Built(None, None)
        try:
            spec = await (self._prepare_from_state() if self._plan.rebuild else asyncio.to_thread(self._prepare))
            result = await builder.build(spec, progress)
            segment = await asyncio.to_thread(self._open)
        except BaseException:
            self.discard()
            raise
        finally:
            delete(self._spill)
        return Built(segment, result)

    def ready(self) -> bool:
        """Whether ``swap`` may be called now. What was taken from the state may be newer than the view until all that
        is staged is visible: only then is it known of each point that it changed.
        """
        live = self._work.live
        return not self._plan.rebuild or live.catch_up(live.view.offset)

    def swap(self, segment: Segment | None, now: float) -> None:
        """Put the new segment in place of its sources, in the view. On the loop.

        Raises BuildFailedError when the state lacks a point that the view has.
        """
        removed = [part.segment for part in self._parts]
        added = [] if segment is None else [segment]
        if self._plan.rebuild:
            current = {part.segment.name: part for part in self._work.live.view.segments}
            for part in self._parts:
                refuse_less(part, current[part.segment.name], segment)
        self._work.live.replace(self._base, removed, added, self._plan.seal, same_slots=self._plan.columns)
        if self._plan.columns:
            self._work.recolumned(removed[0], added[0])
        else:
            self._work.merged(self._base, self._parts)
        self._work.swaps += 1
        self._work.retired += [segment.folder for segment in removed]
        if self._plan.seal:
            self._work.sealed(self._base.offset, now)

    def discard(self) -> None:
        """Delete what was built, or half built by a process that is gone."""
        delete(self._target)
        delete(self._target.with_name(self._target.name + UNFINISHED))

    def _open(self) -> Segment:
        segment = Segment.open(self._target)
        self._make_ready(segment)
        if segment.damaged_graphs:
            raise BuildFailedError(f"{self._target}: {segment.damaged_graphs}")
        return segment

    async def _prepare_from_state(self) -> BuildSpec:
        with write_spill(self._spill) as spill:
            for part in self._parts:
                await spill_slots(spill, part, lambda ids: self._state.points(self._work.shard, ids))
        return BuildSpec(str(self._target), self._base.config, [str(self._spill)], [])

    def _prepare(self) -> BuildSpec:
        self._work.folder.mkdir(parents=True, exist_ok=True)
        spills: list[str] = []
        if self._tails:
            with write_spill(self._spill) as spill:
                for tail in self._tails:
                    for points in tail.live_points():
                        spill.add_joined(tail.ids_at(points.rows), points.data, points.lengths)
            spills.append(str(self._spill))
        if self._plan.columns:
            pieces = [SegmentPiece(str(p.segment.folder)) for p in self._parts]
            return BuildSpec(str(self._target), self._base.config, spills, pieces, keep=True)
        pieces = [SegmentPiece(str(p.segment.folder), _dead(p)) for p in self._parts]
        return BuildSpec(str(self._target), self._base.config, spills, pieces, self._plan.graph)


class Built:
    """What a build gave: nothing when all points were dead."""

    def __init__(self, segment: Segment | None, result: BuildResult | None) -> None:
        self.segment = segment
        self.result = result
        self.slots = 0 if segment is None else segment.size


async def publish(work: ShardWork, state: SealedState) -> int:
    """Write the manifest of what the view consists of now, as of ``work.offset``; delete what it doesn't name.

    Every segment holds points as they were at ``work.offset`` or before: a merge only leaves dead ones out, a seal
    moves that offset. What died after it is not dead in the manifest, unless a merge left it out before the view's
    offset; changes after it come from the state again.
    Readers that have a deleted segment mapped keep it. Returns the offset that the manifest stands at. Raises OSError;
    the old manifest is in force then.
    """
    async with work.publishing:
        while True:
            offset = work.offset
            await state.sync()
            if work.offset == offset:
                break
        view = work.live.view
        entries = [_entry(part, offset) for part in view.segments]
        retired, swaps = len(work.retired), work.swaps
        manifest = Manifest(offset, work.next_number, entries, usable_from=view.offset)
        await asyncio.to_thread(_write, work.folder, manifest)
        work.note_manifest(entries)
        work.published_swaps = swaps
        if offset > work.dropped:
            state.drop_changed(work.shard, offset)
            work.dropped = offset
        for folder in work.retired[:retired]:
            delete(folder)
        del work.retired[:retired]
        return offset


def _write(folder: Path, manifest: Manifest) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(folder, manifest)


def _entry(part: SegmentPart, offset: int) -> SegmentEntry:
    return SegmentEntry.of(part.segment.name, part.dead_at <= np.uint64(max(offset, 0)))


def _dead(part: SegmentPart) -> bytes | None:
    return pack_mask(part.dead_mask()) if part.alive_count < part.size else None

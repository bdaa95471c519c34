"""What the optimizer keeps of one live shard: what its folder holds, since when it changes, what is being built."""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import structlog

from projector.frames import ShardId
from projector.quantization.codes import wanted_meta
from projector.segments.build import wants_graph
from projector.segments.errors import ManifestDamagedError
from projector.segments.manifest import Manifest, SegmentEntry, read_manifest
from projector.segments.policy import SegmentFacts, TailFacts
from projector.segments.reader import Segment
from projector.view.live_shard import LiveShard
from projector.view.segment_part import SegmentPart
from projector.view.shard_view import ShardView
from schemas.config import CollectionConfig

log = structlog.get_logger("headwater")

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Backoff:
    """When to try again after failures in a row: after 1, 2, 4, ... 60 seconds."""

    def __init__(self) -> None:
        self.failures = 0
        self.reason: str | None = None
        """Of the last failure, None after a success."""
        self._until = float("-inf")

    def failed(self, now: float, reason: str) -> float:
        """Note a failure; returns the pause."""
        self.reason = reason
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self.failures)
        self.failures = min(self.failures + 1, 16)
        self._until = now + pause
        return pause

    def succeeded(self) -> None:
        """Start over."""
        self.failures = 0
        self.reason = None
        self._until = float("-inf")

    def waits(self, now: float) -> bool:
        """Whether it is too early to try again."""
        return now < self._until


class Pace:
    """How many points change in a second, over some seconds."""

    _SECONDS = 2.0

    def __init__(self, now: float) -> None:
        self._began = now
        self._since = 0
        self._before = 0.0

    def add(self, points: int) -> None:
        """So many changed."""
        self._since += points

    def at(self, now: float) -> float:
        """The pace; of what has just begun to change no less than it turns out to be."""
        elapsed = now - self._began
        pace = self._since / max(elapsed, self._SECONDS)
        if elapsed >= self._SECONDS:
            self._began, self._since, self._before = now, 0, pace
        return max(pace, self._before)


class ShardWork:
    """One live shard. ``offset``: the one up to which everything is in segments, -1 when nothing ever was."""

    def __init__(self, shard: ShardId, live: LiveShard, folder: Path, manifest: Manifest | None, now: float) -> None:
        self.shard = shard
        self.live = live
        self.folder = folder
        self.offset = -1 if manifest is None else manifest.offset
        self.next_number = 1 if manifest is None else manifest.next_number
        self.publishing = asyncio.Lock()
        self.busy: set[str] = set()
        self.condemned: dict[str, str] = {}
        """Segments that are damaged, by name, and what is; they are to be rebuilt from the state."""
        self.building = 0
        self.backoff = {False: Backoff(), True: Backoff()}
        """By whether the build has graphs."""
        self.progress: float | None = None
        self.swaps = 0
        """How often segments of the view were replaced."""
        self.published_swaps = 0
        """How many of these the manifest knows of."""
        self.retired: list[Path] = []
        """Folders of segments that left the view, to be deleted once no manifest names them."""
        self.reported: set[str] = set()
        """Segments whose damage was logged."""
        self.dropped = -1
        """The offset up to which the state no longer keeps changed ids."""
        self._left_out = -1
        """Up to which offset merges have left out points that died after the manifest's."""
        self._dead: dict[str, int] = {}
        self.note_manifest([] if manifest is None else manifest.segments)
        self._seen = live.view.offset
        self._changed_at = now
        self._unsealed_since: float | None = None
        self._pace = Pace(now)

    def note_manifest(self, entries: Collection[SegmentEntry]) -> None:
        """Remember how many slots the manifest says are dead."""
        self._dead = {e.name: int(np.count_nonzero(e.dead_mask())) for e in entries}

    def tail_facts(self, now: float) -> TailFacts:
        """What is in no segment, or not in the manifest, at ``now``. To be called often: it notes when that changes."""
        view = self.live.view
        if view.offset != self._seen:
            self._changed_at = now
            self._pace.add(sum(part.size - part.tail.rows_up_to(self._seen) for part in view.tails))
            # Not the view: it would keep tails that are sealed.
            self._seen = view.offset
        deaths = sum(map(self._deaths_in, view.segments)) + (self._left_out > self.offset)
        rows = view.tail_rows
        if not rows and not deaths:
            self._unsealed_since = None
        elif self._unsealed_since is None:
            self._unsealed_since = now
        age = 0.0 if self._unsealed_since is None else now - self._unsealed_since
        size = sum(part.tail.points.size_of(0, part.size) for part in view.tails)
        return TailFacts(rows, size, deaths, age, self.quiet(now), self._pace.at(now))

    def quiet(self, now: float) -> float:
        """Seconds since the last change that ``tail_facts`` noted."""
        return now - self._changed_at

    def segment_facts(self, *, as_idle: bool = False) -> list[SegmentFacts]:
        """What the current view consists of; ``as_idle``: as if no build were running."""
        view = self.live.view
        taken = self.condemned.keys() if as_idle else self.busy | self.condemned.keys()
        return [
            SegmentFacts(
                part.segment.name,
                part.size,
                part.size - part.alive_count,
                part.segment.meta.indexed,
                is_stale(part.segment, view.config),
                part.segment.name in taken,
                part.columns.lack(view.config.payload_indexes),
            )
            for part in view.segments
        ]

    def to_rebuild(self) -> str | None:
        """The name of a damaged segment that no build takes in; None when there is none."""
        names = (part.segment.name for part in self.live.view.segments)
        return next((name for name in names if name in self.condemned and name not in self.busy), None)

    def take_number(self) -> int:
        """A number for a new segment, never given before."""
        number = self.next_number
        self.next_number += 1
        return number

    def merged(self, base: ShardView, parts: Sequence[SegmentPart]) -> None:
        """What was dead in ``parts`` of the view ``base`` is in no segment any more. It is yet to be sealed."""
        if any(self._deaths_in(part) > 0 for part in parts):
            self._left_out = max(self._left_out, base.offset)

    def recolumned(self, old: Segment, new: Segment) -> None:
        """``new`` has the slots of ``old``, and the manifest says of as many that they are dead."""
        self._dead[new.name] = self._dead.get(old.name, 0)

    def sealed(self, offset: int, now: float) -> None:
        """The tail at ``offset`` is in segments now; what came since is as old as this call."""
        self.offset = offset
        self._unsealed_since = now

    def _deaths_in(self, part: SegmentPart) -> int:
        return part.size - part.alive_count - self._dead.get(part.segment.name, 0)


def begin_work(shard: ShardId, live: LiveShard, folder: Path, now: float) -> ShardWork:
    """For a live shard that comes, with what its folder has. Raises OSError."""
    try:
        manifest = read_manifest(folder)
    except ManifestDamagedError as error:
        # Whoever opened the shard has read it already; it was damaged since. The next build writes another one.
        log.error("manifest damaged", shard=str(folder), reason=error.message)
        manifest = None
    return ShardWork(shard, live, folder, manifest, now)


def is_stale(segment: Segment, config: CollectionConfig) -> bool:
    """Whether a segment that was built with graphs has other graphs or codes than a build would give it now."""
    if not segment.meta.indexed:
        return False
    if segment.damaged_graphs:
        return True
    for vector in segment.meta.vectors:
        if config.positions.get(vector.name) != vector.number:
            continue
        if not wants_graph(config, vector.name, vector.rows):
            if vector.graph is not None:
                return True
            continue
        hnsw = config.hnsw_for(vector.name)
        held = vector.graph or vector.unfit
        if held is None or (held.m, held.ef_construct) != (hnsw.m, hnsw.ef_construct):
            return True
        if vector.quantized != wanted_meta(config, vector.name):
            return True
    return False

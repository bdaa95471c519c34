"""What to build next for a shard: pure functions of what it consists of. Mechanism is in ``optimizer``.

Two kinds of builds run side by side: plain ones (seals, merges of segments without a graph) are quick and frequent,
graph builds may take minutes. Both merge by size tiers, as log-structured merge trees do: a segment is merged only
with others that together have at least a third of its bytes, so each point is copied, and each graph row
inserted, a number of times that grows with the logarithm of the shard's size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from projector.segments.build import MIN_GRAPH_ROWS, wants_graph
from projector.vectors.registry import part_kind
from schemas.config import CollectionConfig, OptimizersConfig

SEAL_ROWS = 10_000
SEAL_BYTES = 32 << 20
MOST_SECONDS = 60
"""What is in no segment gets into one by then, however long ``flush_interval_sec`` is: until then one shard's few
changes keep the feed files of its whole partition, and whoever starts reads them."""
MAX_PLAIN_SEGMENTS = 16
PAUSE_SECONDS = 1.0
"""What comes after a longer pause is no steady trickle. The pace of a bulk load is known for longer than that."""
QUIET_SECONDS = 3.0
"""A shard without changes for this long is at rest: what would only be overtaken by more changes is done now."""

TIER_RATIO = 3
SMALL_ROWS = 1000
"""Segments below this are merged as if they had this size: copying them costs less than searching one more."""

BUSY_THRESHOLDS = 8
"""While changes keep coming quickly, a graph waits for so many times ``indexing_threshold``, and for a third of what
graphs hold already, so that a bulk load builds few graphs twice."""

SCANNED_BYTES, SCANNED_ROWS = 4 << 20, 4000
"""Where a shard has a graph, so much without one, at least so many rows, is due a graph of its own though
``indexing_threshold`` is larger: to compare them all takes a search longer than a walk through their graph. Beside
140,000 rows that are walked at ef 64, 10,000 of 100 values took 28 us more either way, 20,000 took 57 scanned and 37
walked; at ef 128 20,000 took 54 and 56."""
SLOW_PACE = 2000.0
"""Below so many new points a second graphs keep up with them: a small one is built in less time than its points take to
come. Above, it is a bulk load."""

BUSY_DEAD = 0.5
"""While changes keep coming that quickly, dead points are left in a segment until they are so much of it, even where
``deleted_threshold`` is less: what is built anew meanwhile is out of date when it is there. A walk through a graph of
which half is dead takes half as long again; to build one anew takes as long as tens of thousands of walks.
"""

LONGEST_FLUSH_SECONDS = 60
"""At rest a graph waits for the tail to be sealed, unless ``flush_interval_sec`` is longer than this."""

DEFAULT_MAX_BYTES = 2 << 30
_KILOBYTE = 1024
_LEAST_ROW_BYTES = 4


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """One segment. ``graph``: whether it was built with graphs; ``stale``: whether these are not what is due now."""

    name: str
    slots: int
    dead: int
    graph: bool = False
    stale: bool = False
    busy: bool = False
    """Whether a running build takes it in."""
    bare: bool = False
    """Whether its columns lack what payload indexes were declared for since."""

    @property
    def alive(self) -> int:
        """Slots that are not dead."""
        return self.slots - self.dead


@dataclass(frozen=True, slots=True)
class TailFacts:
    """What is in no segment yet.

    ``rows`` and ``bytes`` of the tail; ``deaths``: slots that died in segments since the manifest's offset, and one for
    all that merges have left out; ``age``: seconds since the first of all these changes; ``quiet``: since the last;
    ``pace``: how many points came in a second, lately.
    """

    rows: int = 0
    bytes: int = 0
    deaths: int = 0
    age: float = 0.0
    quiet: float = 0.0
    pace: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A build: segments to replace, by name, and whether the tail is sealed with them and graphs are built.

    ``rebuild``: the points come from the state, as the files of the one segment that is replaced are damaged.
    ``columns``: the one segment that is replaced gets new columns, and is the same in all else.
    """

    segments: tuple[str, ...] = ()
    seal: bool = False
    graph: bool = False
    rebuild: bool = False
    columns: bool = False


@dataclass(frozen=True, slots=True)
class _Sizes:
    """The configuration's sizes in bytes of a shard's largest vectors."""

    row: int
    threshold: int
    limit: int
    graphs: bool
    waits_for_seal: bool

    @staticmethod
    def of(config: CollectionConfig) -> "_Sizes":
        optimizers = config.optimizers
        row = max((part_kind(params).row_bytes for params in config.names.values()), default=_LEAST_ROW_BYTES)
        limit = optimizers.max_segment_size
        possible = any(wants_graph(config, name, MIN_GRAPH_ROWS) for name in config.names)
        return _Sizes(
            row,
            max(optimizers.indexing_threshold * _KILOBYTE, MIN_GRAPH_ROWS * row),
            DEFAULT_MAX_BYTES if limit is None else limit * _KILOBYTE,
            possible and optimizers.indexing_threshold > 0 and optimizers.max_optimization_threads != 0,
            optimizers.flush_interval_sec <= LONGEST_FLUSH_SECONDS,
        )

    def bytes_of(self, segment: SegmentFacts) -> int:
        return segment.alive * self.row

    def threshold_beside(self, others: Iterable[SegmentFacts]) -> int:
        """How many bytes get a graph, where these segments are there, too."""
        if any(segment.graph for segment in others):
            return min(self.threshold, max(SCANNED_BYTES, SCANNED_ROWS * self.row))
        return self.threshold


def seal_due(tail: TailFacts, config: OptimizersConfig) -> bool:
    """Whether the tail, or what died in segments, should go into segments and manifest now."""
    if tail.rows >= SEAL_ROWS or tail.bytes >= SEAL_BYTES:
        return True
    return (tail.rows > 0 or tail.deaths > 0) and tail.age >= min(config.flush_interval_sec, MOST_SECONDS)


def plan_plain(segments: Sequence[SegmentFacts], tail: TailFacts, config: CollectionConfig) -> Plan | None:
    """The next build without graphs, None when there is nothing to do."""
    sizes = _Sizes.of(config)
    free = [s for s in segments if not s.graph and not s.busy]
    seal = seal_due(tail, config.optimizers) or _holds_up_graph(free, segments, tail, sizes)
    crowded = len(free) + seal > MAX_PLAIN_SEGMENTS
    at_rest = tail.quiet >= QUIET_SECONDS
    if crowded or (at_rest and not _graph_due(free, segments, TailFacts(quiet=tail.quiet), sizes)):
        tail_bytes = tail.rows * sizes.row if seal else None
        merged = _tier(sorted(free, key=sizes.bytes_of), tail_bytes, sizes, at_least=2 if crowded else 0)
        if len(merged) + (seal and tail.rows > 0) >= 2:
            return Plan(tuple(s.name for s in merged), seal)
    if seal:
        return Plan(seal=True)
    wasteful = [s for s in free if _wasteful(s, config.optimizers, tail)]
    if wasteful:
        # What is left of each is little: together they are one segment less to search each time.
        return Plan(tuple(s.name for s in _first_fit(wasteful, sizes.limit, sizes)))
    # Where graphs are built anew, columns are with them.
    waiting = config.optimizers.max_optimization_threads != 0
    bare = next((s for s in segments if s.bare and not s.busy and not (s.stale and waiting)), None)
    return None if bare is None else Plan((bare.name,), columns=True)


def plan_graph(segments: Sequence[SegmentFacts], tail: TailFacts, config: CollectionConfig) -> Plan | None:
    """The next build with graphs, None when there is nothing to do. The tail takes no part in it.

    As in Qdrant, ``max_optimization_threads`` of 0 means that there are no such builds.
    """
    if config.optimizers.max_optimization_threads == 0:
        return None
    sizes = _Sizes.of(config)
    free = [s for s in segments if not s.busy]
    worn = next((s for s in free if s.graph and (s.stale or _wasteful(s, config.optimizers, tail))), None)
    if worn is not None:
        least = sizes.threshold_beside(s for s in segments if s is not worn)
        return Plan((worn.name,), graph=sizes.graphs and sizes.bytes_of(worn) >= least)
    if not sizes.graphs:
        return None
    plain = [s for s in free if not s.graph]
    graphs = sorted((s for s in free if s.graph), key=sizes.bytes_of)
    wanted = max(1, config.optimizers.default_segment_number)
    limit = _limit(segments, wanted, sizes)
    if _graph_due(plain, segments, tail, sizes):
        chosen = _first_fit(sorted(plain, key=sizes.bytes_of, reverse=True), limit, sizes)
        if sum(map(sizes.bytes_of, chosen)) >= sizes.threshold_beside(segments):
            chosen += _absorb(chosen, graphs, wanted, limit, sizes)
            return Plan(tuple(s.name for s in chosen), graph=True)
    if tail.quiet >= QUIET_SECONDS and len(graphs) > wanted:
        chosen = graphs[:1] + _absorb(graphs[:1], graphs[1:], wanted, limit, sizes)
        if len(chosen) > 1:
            return Plan(tuple(s.name for s in chosen), graph=True)
    return None


def is_up_to_date(segments: Sequence[SegmentFacts], tail: TailFacts, config: CollectionConfig) -> bool:
    """Whether no graph and no column is missing: none would be built if changes stopped now and the tail were sealed.

    Segments that a running build takes in are not to be marked as busy here.
    """
    if any(segment.bare for segment in segments):
        return False
    sealed = [*segments, SegmentFacts("", tail.rows, 0)]
    return plan_graph(sealed, TailFacts(quiet=QUIET_SECONDS), config) is None


def _is_busy(tail: TailFacts) -> bool:
    """Whether points change more quickly than graphs are built."""
    return tail.quiet < QUIET_SECONDS and tail.pace >= SLOW_PACE


def _wasteful(segment: SegmentFacts, config: OptimizersConfig, tail: TailFacts) -> bool:
    """Whether too much of a segment is dead; one that is dead altogether always is."""
    if segment.alive == 0:
        return True
    large = segment.slots >= config.vacuum_min_vector_number
    threshold = max(config.deleted_threshold, BUSY_DEAD) if _is_busy(tail) else config.deleted_threshold
    return large and segment.dead > threshold * segment.slots


def _graph_due(plain: Sequence[SegmentFacts], segments: Sequence[SegmentFacts], tail: TailFacts, sizes: _Sizes) -> bool:
    if not sizes.graphs:
        return False
    waiting = sum(map(sizes.bytes_of, plain))
    least = sizes.threshold_beside(segments)
    if tail.quiet >= QUIET_SECONDS:
        return waiting >= least and not (tail.rows and sizes.waits_for_seal)
    held = sum(sizes.bytes_of(s) for s in segments if s.graph)
    # The first graph waits for no more, or what trickles in without a pause would be compared one by one for long.
    # After a bulk load it waits for the tail, as at rest.
    if tail.pace < SLOW_PACE and (least < sizes.threshold or (not held and tail.quiet < PAUSE_SECONDS)):
        return waiting >= least
    return waiting >= max(BUSY_THRESHOLDS * sizes.threshold, held // TIER_RATIO)


def _holds_up_graph(
    plain: Sequence[SegmentFacts], segments: Sequence[SegmentFacts], tail: TailFacts, sizes: _Sizes
) -> bool:
    """Whether a graph would be due at rest if only the tail were sealed: to wait for its age would gain nothing."""
    if not sizes.graphs or not sizes.waits_for_seal or tail.rows == 0 or tail.quiet < QUIET_SECONDS:
        return False
    return sum(map(sizes.bytes_of, plain)) + tail.rows * sizes.row >= sizes.threshold_beside(segments)


def _limit(segments: Sequence[SegmentFacts], wanted: int, sizes: _Sizes) -> int:
    """How many bytes one segment may have so that about ``wanted`` of them remain."""
    total = sum(map(sizes.bytes_of, segments))
    return sizes.limit if wanted == 1 else min(sizes.limit, max(sizes.threshold, -(-total // wanted)))


def _tier(
    ascending: Sequence[SegmentFacts], tail_bytes: int | None, sizes: _Sizes, at_least: int
) -> list[SegmentFacts]:
    """The smallest segments, as long as each fits in with those before it, the tail being the first."""
    chosen: list[SegmentFacts] = []
    total = tail_bytes or 0
    for segment in ascending:
        size = sizes.bytes_of(segment)
        if chosen and total + size > sizes.limit:
            break
        fits = (not chosen and tail_bytes is None) or size <= TIER_RATIO * max(total, SMALL_ROWS * sizes.row)
        if not fits and len(chosen) >= at_least:
            break
        chosen.append(segment)
        total += size
    return chosen


def _first_fit(descending: Sequence[SegmentFacts], limit: int, sizes: _Sizes) -> list[SegmentFacts]:
    """Segments of together at most ``limit`` bytes, or the first alone."""
    chosen: list[SegmentFacts] = []
    total = 0
    for segment in descending:
        size = sizes.bytes_of(segment)
        if not chosen or total + size <= limit:
            chosen.append(segment)
            total += size
    return chosen


def _absorb(
    chosen: Sequence[SegmentFacts], graphs: Sequence[SegmentFacts], wanted: int, limit: int, sizes: _Sizes
) -> list[SegmentFacts]:
    """Graph segments to build anew together with ``chosen``: while there would be too many, and tiers allow it."""
    absorbed: list[SegmentFacts] = []
    total = sum(map(sizes.bytes_of, chosen))
    for segment in graphs:
        size = sizes.bytes_of(segment)
        enough = 1 + len(graphs) - len(absorbed) <= wanted
        if enough or total + size > limit or size > TIER_RATIO * total:
            break
        absorbed.append(segment)
        total += size
    return absorbed

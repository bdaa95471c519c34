"""Where a segment's data is kept, as its collection's configuration says: on disk, in the page cache, or in memory.

What is mapped is kept once, whatever is said of it: the system is told what to read ahead and what to hold. That is
done on one thread, as reading in takes as long as the disk does. What the configuration says nothing of is left to the
system.
"""

import mmap
from collections import deque
from collections.abc import Callable, Iterator
from threading import Lock, Thread

import structlog

from projector.columns.meta import declared_columns
from projector.quantization.search_codes import SECTIONS as SEARCH_CODES_SECTIONS
from projector.segments.mapping import advise, lock, unlock
from projector.segments.reader import Segment
from schemas.config import CollectionConfig
from schemas.vectors.params import Memory, SparseVectorParams, placed

Placed = dict[str, Memory]
"""By section of the segment's file; a graph's file by ``graph.`` and the vector name."""
_GRAPH = "graph."
_INDEX = ("terms.", "postings.", "posting_rows.", "posting_values.")
_logger = structlog.get_logger("headwater.segments")


def wanted(config: CollectionConfig, segment: Segment) -> Placed:
    """What the configuration says of the segment's data."""
    return {section: memory for section, memory in _said(config, segment) if memory is not None}


def _said(config: CollectionConfig, segment: Segment) -> Iterator[tuple[str, Memory | None]]:
    for vector in segment.meta.vectors:
        params = config.names.get(vector.name)
        if isinstance(params, SparseVectorParams):
            if (index := params.index) is not None:
                for section in _INDEX:
                    yield f"{section}{vector.number}", placed(index.memory, index.on_disk)
        elif params is not None:
            for section in ("vectors.", *(() if vector.search_codes is None else SEARCH_CODES_SECTIONS)):
                yield f"{section}{vector.number}", placed(params.memory, params.on_disk)
            hnsw = config.hnsw_for(vector.name)
            yield f"{_GRAPH}{vector.name}", placed(hnsw.memory, hnsw.on_disk)
    payload = None if config.payload is None else config.payload.memory
    # On disk is the default of payloads: nobody asked for it.
    yield "payloads", placed(payload, None if config.on_disk_payload else False)
    declared = declared_columns(config.payload_indexes)
    for column in segment.columns.metas:
        params = declared.get(column.steps)
        if params is not None and (memory := placed(params.memory, params.on_disk)) is not None:
            for section in segment.sections(f"column.{column.number}."):
                yield section, memory


class _OneThread:
    """Makes calls one after the other, on a thread that is there while there are any."""

    def __init__(self) -> None:
        self._calls: deque[Callable[[], None]] = deque()
        self._lock = Lock()
        self._running = False

    def call(self, function: Callable[[], None]) -> None:
        """Call ``function``, which raises nothing, after what was asked for before."""
        with self._lock:
            self._calls.append(function)
            if self._running:
                return
            self._running = True
        Thread(target=self._run, name="placement", daemon=True).start()

    def _run(self) -> None:
        while (function := self._next()) is not None:
            function()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._calls:
                return self._calls.popleft()
            self._running = False
            return None


_thread = _OneThread()


class Placement:
    """One segment's: follows the configuration."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._wanted: Placed = {}
        self._placed: Placed = {}
        self._lock = Lock()
        self.running = False
        """Whether something is being placed."""

    def follow(self, config: CollectionConfig) -> None:
        """Have everything placed as ``config`` says, soon."""
        asked = wanted(config, self._segment)
        with self._lock:
            self._wanted = asked
            if self.running or asked == self._placed:
                return
            self.running = True
        _thread.call(self._run)

    def _run(self) -> None:
        while (asked := self._next()) is not None:
            for section in {*asked, *self._placed}:
                if (before := self._placed.get(section)) is not (now := asked.get(section)):
                    self._try(section, before, now)
            self._placed = asked

    def _next(self) -> Placed | None:
        with self._lock:
            if self._wanted != self._placed:
                return self._wanted
            self.running = False
            return None

    def _try(self, section: str, before: Memory | None, now: Memory | None) -> None:
        # Whatever is wrong must not end the thread, which other segments and the next configuration wait for.
        try:
            self._place(section, before, now)
        except Exception as error:
            _logger.warning(
                "data could not be placed as configured",
                segment=str(self._segment.folder),
                section=section,
                reason=repr(error),
            )

    def _place(self, section: str, before: Memory | None, now: Memory | None) -> None:
        if section.startswith(_GRAPH):
            data = self._segment.graph_data(section.removeprefix(_GRAPH))
        else:
            data = self._segment.data(section)
        if data is None or not len(data):
            return
        if before is Memory.PINNED:
            unlock(data)
        advise(data, mmap.MADV_RANDOM if now is Memory.COLD else mmap.MADV_NORMAL)
        if now is Memory.PINNED and not lock(data):
            _logger.warning(
                "data that is to stay in memory can't be locked there: see the limit of locked memory (ulimit -l)",
                segment=str(self._segment.folder),
                section=section,
                bytes=len(data),
            )
        if now in (Memory.CACHED, Memory.PINNED):
            advise(data, mmap.MADV_WILLNEED)

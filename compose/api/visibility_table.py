"""VisibilityTable: how far each worker of an api is, in memory that all of them share.

One row per worker, 64-bit cells: the worker's state, whether it listens, its connections, its heartbeats and its
visible offsets; then a second row per worker for what those showed that had its place before and are gone. A worker
writes its own rows; the supervisor clears the row of a worker that is dead. A cell is written and read as one aligned
word.
"""

import mmap
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Self

from ingest.log import Topic

MAX_PARTITIONS = 4096
"""Points partitions that have a column. The file is sparse, so those that are not there take nothing."""
_STATE, _LISTENS, _CONNECTIONS, _HEARTBEATS, _CATALOG, _POINTS = range(6)
_ROW = _POINTS + MAX_PARTITIONS
_CELL_BYTES = 8
_ANSWERS = 2
"""A worker that only listens has 1 there."""


class WorkerState(IntEnum):
    """What other workers have to know of one. Waiting writes count it from JOINING on."""

    ABSENT = 0
    STARTING = 1
    """It answers that it is not ready."""
    JOINING = 2
    """It reads nothing yet, but what is awaited from now on is awaited from it too."""
    READY = 3


Column = int
"""Which visible offset of a worker: see ``column_of``."""


class TooManyPartitionsError(Exception):
    """The topic has more partitions than the table has columns."""


def column_of(topic: Topic, partition: int) -> Column:
    """The column of one partition's visible offset. Raises TooManyPartitionsError."""
    if topic is Topic.CATALOG:
        return _CATALOG
    if partition >= MAX_PARTITIONS:
        raise TooManyPartitionsError(f"an api reads {MAX_PARTITIONS} points partitions at most, not {partition + 1}")
    return _POINTS + partition


def partition_of(column: Column) -> tuple[Topic, int]:
    """The topic and partition whose visible offset is in a column."""
    return (Topic.CATALOG, 0) if column == _CATALOG else (Topic.POINTS, column - _POINTS)


class VisibilityTable:
    """A file of zeros is a table of absent workers. Offsets are kept plus one, so that -1, nothing, is zero."""

    def __init__(self, memory: mmap.mmap) -> None:
        """See ``create`` and ``open``."""
        self._memory = memory
        self._cells = memoryview(memory).cast("q")
        self.workers = len(self._cells) // _ROW // 2

    @classmethod
    def create(cls, path: Path, workers: int) -> Self:
        """A new table. Raises OSError."""
        with path.open("xb") as file:
            file.truncate(2 * workers * _ROW * _CELL_BYTES)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """A table that is there. Raises OSError."""
        with path.open("r+b") as file:
            return cls(mmap.mmap(file.fileno(), 0))

    def state(self, worker: int) -> WorkerState:
        """What one worker is doing."""
        return WorkerState(self._cells[worker * _ROW + _STATE])

    def set_state(self, worker: int, state: WorkerState) -> None:
        """Let all know what ``worker`` is doing."""
        self._cells[worker * _ROW + _STATE] = state

    def listens(self, worker: int) -> bool:
        """Whether clients may have reached this worker."""
        return bool(self._cells[worker * _ROW + _LISTENS])

    def set_listens(self, worker: int) -> None:
        """From now on clients may reach ``worker``."""
        self._cells[worker * _ROW + _LISTENS] = 1

    def answers(self, worker: int) -> bool:
        """Whether this worker answers requests, by REST and by gRPC where that is wanted."""
        return self._cells[worker * _ROW + _LISTENS] == _ANSWERS

    def set_answers(self, worker: int) -> None:
        """``worker`` does, from now on."""
        self._cells[worker * _ROW + _LISTENS] = _ANSWERS

    def connections(self, worker: int) -> int:
        """How many clients' connections ``worker`` has."""
        return self._cells[worker * _ROW + _CONNECTIONS]

    def set_connections(self, worker: int, connections: int) -> None:
        """``worker`` has so many connections."""
        self._cells[worker * _ROW + _CONNECTIONS] = connections

    def heartbeats(self, worker: int) -> int:
        """How often ``worker`` has shown that its event loop runs."""
        return self._cells[worker * _ROW + _HEARTBEATS]

    def beat(self, worker: int) -> None:
        """The event loop of ``worker`` runs."""
        self._cells[worker * _ROW + _HEARTBEATS] += 1

    def visible(self, worker: int, column: Column) -> int:
        """What ``worker`` shows, -1 for nothing."""
        return self._cells[worker * _ROW + column] - 1

    def publish(self, worker: int, column: Column, offset: int) -> None:
        """``worker`` shows everything up to ``offset``."""
        self._cells[worker * _ROW + column] = offset + 1

    def columns(self, worker: int) -> Iterator[tuple[Column, int]]:
        """The columns in which ``worker`` shows something, with the offset."""
        return self._columns(worker * _ROW)

    def columns_before(self, worker: int) -> Iterator[tuple[Column, int]]:
        """The same of those that were cleared from this place: the highest offsets that one of them showed."""
        return self._columns((self.workers + worker) * _ROW)

    def _columns(self, start: int) -> Iterator[tuple[Column, int]]:
        for column in range(_CATALOG, _ROW):
            value = self._cells[start + column]
            if value:
                yield column, value - 1

    def clear(self, worker: int) -> None:
        """``worker`` is gone; nobody waits for it any more. What it showed is kept: it may have promised that."""
        start, before = worker * _ROW, (self.workers + worker) * _ROW
        shown = list(self.columns(worker))
        for column, offset in shown:
            self._cells[before + column] = max(self._cells[before + column], offset + 1)
        # First the state: the offsets of a worker that counts never go back to nothing.
        self._cells[start + _STATE] = WorkerState.ABSENT
        self._cells[start + _LISTENS] = 0
        self._cells[start + _CONNECTIONS] = 0
        self._cells[start + _HEARTBEATS] = 0
        for column, _ in shown:
            self._cells[start + column] = 0

    def close(self) -> None:
        """Let go of the memory."""
        self._cells.release()
        self._memory.close()

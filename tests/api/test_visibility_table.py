"""The table that workers share, and what a completed wait says of every worker."""

import asyncio
import tempfile
from collections.abc import Coroutine, Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compose.api import membership, peer_waits
from compose.api.membership import Membership
from compose.api.peer_waits import PeerWaits
from compose.api.visibility_table import (
    MAX_PARTITIONS,
    TooManyPartitionsError,
    VisibilityTable,
    WorkerState,
    column_of,
    partition_of,
)
from ingest.log import Topic
from projector.waiters import Waiters
from schemas.errors import TimedOutError
from tests.support.examples import tries

COLUMN = column_of(Topic.POINTS, 0)
WORKERS = 3


@pytest.fixture
def table(tmp_path: Path) -> Iterator[VisibilityTable]:
    table = VisibilityTable.create(tmp_path / "table", WORKERS)
    yield table
    table.close()


def test_a_new_table_has_nobody_in_it(table: VisibilityTable) -> None:
    assert table.workers == WORKERS
    for worker in range(WORKERS):
        assert table.state(worker) is WorkerState.ABSENT
        assert not table.listens(worker)
        assert table.visible(worker, COLUMN) == -1
        assert not list(table.columns(worker))


def test_what_one_process_writes_others_read(table: VisibilityTable, tmp_path: Path) -> None:
    other = VisibilityTable.open(tmp_path / "table")
    catalog, last = column_of(Topic.CATALOG, 0), column_of(Topic.POINTS, MAX_PARTITIONS - 1)
    table.publish(1, catalog, 0)
    table.publish(1, last, 2**62)
    table.set_state(1, WorkerState.READY)
    table.set_listens(1)
    assert list(other.columns(1)) == [(catalog, 0), (last, 2**62)]
    assert (other.state(1), other.listens(1)) == (WorkerState.READY, True)
    assert other.state(0) is other.state(2) is WorkerState.ABSENT
    table.clear(1)
    assert not list(other.columns(1))
    assert list(other.columns_before(1)) == [(catalog, 0), (last, 2**62)]
    assert (other.state(1), other.listens(1)) == (WorkerState.ABSENT, False)
    other.close()


def test_columns_stand_for_partitions() -> None:
    every = [(Topic.CATALOG, 0), *((Topic.POINTS, p) for p in range(MAX_PARTITIONS))]
    assert [partition_of(column_of(*where)) for where in every] == every
    with pytest.raises(TooManyPartitionsError, match="4097"):
        column_of(Topic.POINTS, MAX_PARTITIONS)


@pytest.mark.parametrize("state", list(WorkerState))
def test_who_is_waited_for(table: VisibilityTable, state: WorkerState) -> None:
    async def check() -> None:
        table.set_state(1, state)
        table.publish(1, COLUMN, 4)
        waits = PeerWaits(Membership(table, 0))
        await waits.wait(COLUMN, 4, 0.0)
        waiting = asyncio.create_task(waits.wait(COLUMN, 5, None))
        if state >= WorkerState.JOINING:
            await asyncio.sleep(0.05)
            assert not waiting.done()
            table.publish(1, COLUMN, 5)
        await waiting

    asyncio.run(check())


def test_a_wait_ends_when_the_last_other_worker_dies(table: VisibilityTable) -> None:
    async def check() -> None:
        for worker in (1, 2):
            table.set_state(worker, WorkerState.READY)
        waits = PeerWaits(Membership(table, 0))
        waiting = [asyncio.create_task(waits.wait(COLUMN, offset, None)) for offset in (1, 2)]
        table.publish(1, COLUMN, 9)
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting)
        table.clear(2)
        await asyncio.gather(*waiting)

    asyncio.run(check())


def test_a_wait_that_takes_too_long(table: VisibilityTable) -> None:
    async def check() -> None:
        table.set_state(1, WorkerState.READY)
        waits = PeerWaits(Membership(table, 0))
        with pytest.raises(TimedOutError):
            await waits.wait(COLUMN, 1, 0.01)
        table.publish(1, COLUMN, 1)
        await waits.wait(COLUMN, 1, None)

    asyncio.run(check())


class _Model:
    """Workers that live and die at one table while a log grows; what they promise is checked as it happens."""

    def __init__(self, table: VisibilityTable) -> None:
        self.table = table
        self.end = -1
        self.promised = -1
        self.completed = 0
        self.waiters: dict[int, Waiters] = {}
        self.tasks: dict[int, list[asyncio.Task[None]]] = {worker: [] for worker in range(table.workers)}

    def start(self, worker: int) -> None:
        """A process starts, and loads what there is now."""
        if worker not in self.waiters:
            self.waiters[worker] = Waiters(self.end)
            self.table.publish(worker, COLUMN, self.end)

    def die(self, worker: int) -> None:
        """The process ends, with all that it was doing; the supervisor sees that."""
        if self.waiters.pop(worker, None) is not None:
            for task in self.tasks[worker]:
                task.cancel()
            self.table.clear(worker)

    def read(self, worker: int) -> None:
        """The worker takes in what there is."""
        self._read(worker, self.end + 1)

    def read_one(self, worker: int) -> None:
        """The worker takes in one more record."""
        self._read(worker, 1)

    def _read(self, worker: int, most: int) -> None:
        waiters = self.waiters.get(worker)
        if waiters is not None:
            for offset in range(waiters.visible + 1, min(self.end, waiters.visible + most) + 1):
                self.table.publish(worker, COLUMN, offset)
                waiters.advance(offset)

    def join(self, worker: int) -> None:
        """The worker has loaded."""
        if worker in self.waiters and self.table.state(worker) is WorkerState.ABSENT:
            self._do(worker, self._join(worker, self.waiters[worker]))

    async def _join(self, worker: int, waiters: Waiters) -> None:
        async def reach(column: int, offset: int) -> None:
            assert column == COLUMN
            await waiters.wait(offset, None)

        await Membership(self.table, worker).join(reach)
        self.check()

    def write(self, worker: int) -> None:
        """A client of the worker writes, and waits."""
        if self.table.state(worker) is WorkerState.READY:
            self.end += 1
            self._do(worker, self._wait(worker, self.waiters[worker], self.end))

    async def _wait(self, worker: int, waiters: Waiters, offset: int) -> None:
        await waiters.wait(offset, None)
        await PeerWaits(Membership(self.table, worker)).wait(COLUMN, offset, None)
        self.promised = max(self.promised, offset)
        self.completed += 1
        self.check()

    def check(self) -> None:
        for worker, waiters in self.waiters.items():
            if self.table.state(worker) is WorkerState.READY:
                assert waiters.visible >= self.promised

    def _do(self, worker: int, work: Coroutine[None, None, None]) -> None:
        self.tasks[worker].append(asyncio.create_task(work))

    async def finish(self) -> None:
        """Everybody reads to the end, so every wait ends."""
        for worker in list(self.waiters):
            self._read(worker, self.end + 1)
        for task in [task for tasks in self.tasks.values() for task in tasks]:
            if not task.cancelled() and not task.cancelling():
                await task


ACTIONS = ("start", "join", "read", "read", "read_one", "read_one", "write", "write", "die")
TICKS = 5
"""Enough for whatever waits for nothing any more to get to its end."""


@settings(max_examples=tries(200), deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.integers(0, WORKERS - 1), st.integers(0, TICKS)),
        min_size=20,
        max_size=60,
    )
)
@example([("read", 0, 5), ("write", 0, 5), ("read", 0, 5), ("join", 1, 1), ("die", 0, 5)])
def test_a_completed_wait_holds_for_every_worker_that_serves(actions: list[tuple[str, int, int]]) -> None:
    async def play(table: VisibilityTable) -> None:
        model = _Model(table)
        for worker in range(WORKERS):
            model.start(worker)
        model.join(0)
        for action, worker, ticks in actions:
            getattr(model, action)(worker)
            model.check()
            for _ in range(ticks):
                await asyncio.sleep(0)
        await model.finish()
        model.check()

    # On one processor there is nothing to settle, and polling at once makes for more ways to interleave.
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(membership, "STORE_SECONDS", 0),
        mock.patch.object(peer_waits, "POLL_SECONDS", 0),
    ):
        table = VisibilityTable.create(Path(folder) / "table", WORKERS)
        asyncio.run(play(table))
        table.close()


def test_who_waits_for_others_is_told_when_looking_fails(table: VisibilityTable) -> None:
    async def check() -> None:
        table.set_state(1, WorkerState.READY)
        member = Membership(table, 0)
        waiting = asyncio.create_task(PeerWaits(member).wait(COLUMN, 5, None))
        await asyncio.sleep(0)
        surprise = RuntimeError("a surprise")
        with mock.patch.object(member, "lowest_of_others", side_effect=surprise), pytest.raises(RuntimeError) as raised:
            await waiting
        assert raised.value is surprise

    asyncio.run(check())

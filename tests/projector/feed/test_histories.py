"""Whatever happens in a projector and whenever a reader begins, what it shows is the state at its offset."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from projector.feed.partition_follower import PartitionFeedFollower
from schemas.operations import Outcome
from tests.projector.feed.node import IDENTITY, Node, contents
from tests.support.examples import tries

TIMEOUT_SECONDS = 240.0
_ids = st.lists(st.integers(0, 12), min_size=1, max_size=8, unique=True)
_which = st.integers(0, 3)
steps = st.one_of(
    st.tuples(st.just("upsert"), _which, _ids),
    st.tuples(st.just("upsert"), _which, _ids),
    st.tuples(st.just("delete"), _which, _ids),
    st.tuples(st.just("refuse"), _which),
    st.tuples(st.just("apply"), st.none() | st.integers(1, 2)),
    st.tuples(st.just("apply"), st.none()),
    st.tuples(st.just("flush")),
    st.tuples(st.just("begin build"), _which, st.lists(st.booleans(), min_size=4, max_size=4), st.booleans()),
    st.tuples(st.just("finish build"), _which),
    st.tuples(st.just("seal"), _which, st.lists(st.booleans(), min_size=4, max_size=4)),
    st.tuples(st.just("seal"), _which, st.lists(st.booleans(), min_size=4, max_size=4)),
    st.tuples(st.just("open shard")),
    st.tuples(st.just("change shard"), _which),
    st.tuples(st.just("close shard"), _which),
    st.tuples(st.just("delete closed")),
    st.tuples(st.just("begin to read"), st.sampled_from([100, 1 << 20])),
    st.tuples(st.just("let readers read"), st.integers(1, 5)),
    st.tuples(st.just("die")),
    st.tuples(st.just("restart")),
)


class _Reader:
    """Checks what it shows each time that it shows something else."""

    def __init__(self, node: Node, read_bytes: int) -> None:
        self.node = node
        self.follower = PartitionFeedFollower(node.folder, 0, IDENTITY, read_bytes=read_bytes)
        self.follower.waiters.on_advance = self._check_at
        self.task = asyncio.create_task(self.follower.run())
        self.wrong: list[str] = []
        self._at = -1

    def _check_at(self, offset: int) -> None:
        if offset < self._at:
            self.wrong.append(f"went back from {self._at} to {offset}")
        self._at = offset
        self.check()

    def check(self) -> None:
        shown = {shard: contents(live.view) for shard, live in self.follower.shards.items()}
        if self._at not in self.node.shown:
            self.wrong.append(f"nothing ends at {self._at}")
        elif shown != self.node.shown[self._at]:
            self.wrong.append(f"at {self._at}: {shown} instead of {self.node.shown[self._at]}")
        for live in self.follower.shards.values():
            if live.view.offset > self._at:
                self.wrong.append(f"a view at {live.view.offset} beyond {self._at}")

    async def until(self, offset: int) -> None:
        """Return when ``offset`` is visible; raise what the reader ended with."""
        wait = asyncio.create_task(self.follower.waiters.wait(offset, TIMEOUT_SECONDS))
        await asyncio.wait([wait, self.task], return_when=asyncio.FIRST_COMPLETED)
        if self.task.done():
            wait.cancel()
            await self.task
        await wait

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.follower.close()


class _History:
    def __init__(self, root: Path, file_bytes: int) -> None:
        self.node = Node(root, file_bytes=file_bytes)
        self.readers: list[_Reader] = []

    async def take(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("upsert", which, ids):
                self._write(which, self.node.upsert(ids))
            case ("delete", which, ids):
                self._write(which, self.node.delete(ids))
            case ("refuse", which):
                self._write(which, self.node.refused_operation())
            case ("apply", chunks):
                await self.node.apply(chunks)
            case ("flush",):
                self.node.feed.flush()
            case ("begin build", which, chosen, seal) if self.node.uids:
                self.node.begin_build(self._uid(which), chosen, seal)
            case ("finish build", which):
                await self.node.finish_build(which)
            case ("seal", which, chosen) if self.node.uids:
                await self.node.apply()
                self.node.begin_build(self._uid(which), chosen, seal=True)
                await self.node.finish_build(len(self.node.building) - 1)
            case ("open shard",) if len(self.node.uids) < 4:
                self.node.open_shard()
            case ("change shard", which) if self.node.uids:
                self.node.change_shard(self._uid(which))
            case ("close shard", which) if self.node.uids:
                self.node.close_shard(self._uid(which))
            case ("delete closed",):
                self.node.delete_closed()
            case ("begin to read", read_bytes) if len(self.readers) < 4:
                self.readers.append(_Reader(self.node, read_bytes))
            case ("let readers read", times):
                await self._let_readers_read(times)
            case ("die",):
                self.node.die()
                await self.node.start()
            case ("restart",):
                self.node.stop()
                await self.node.start()
            case _:
                pass

    def _uid(self, which: int) -> int:
        return self.node.uids[which % len(self.node.uids)]

    def _write(self, which: int, operation: Any) -> None:
        if self.node.uids:
            self.node.write(self._uid(which), operation)

    async def _let_readers_read(self, times: int) -> None:
        for _ in range(times):
            await asyncio.sleep(0.001)
        for reader in self.readers:
            reader.check()

    async def settle(self) -> None:
        """Everything is applied and flushed, and every reader sees it and knows what was rejected."""
        while self.node.building:
            await self.node.finish_build(0)
        await self.node.apply()
        self.node.feed.flush()
        applied = self.node.state.applied
        for reader in self.readers:
            await reader.until(applied)
            await asyncio.sleep(0.01)
            reader.check()
            assert reader.wrong == []
            for offset in range(applied + 1):
                assert _rejected(await reader.follower.waiters.wait(offset, 0)) == _rejected(
                    self.node.refused.get(offset, ())
                )

    async def close(self) -> None:
        for reader in self.readers:
            await reader.close()
        self.node.stop()


def _rejected(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if not outcome.applied]


async def play(history: Sequence[tuple[Any, ...]], root: Path, file_bytes: int) -> None:
    played = _History(root, file_bytes)
    await played.node.start()
    try:
        played.readers.append(_Reader(played.node, 1 << 20))
        for step in [("open shard",), ("open shard",), *history]:
            await played.take(step)
        played.readers.append(_Reader(played.node, 1 << 20))
        await played.settle()
    finally:
        await played.close()


@settings(max_examples=tries(20), deadline=None)
@given(st.lists(steps, min_size=30, max_size=80), st.sampled_from([1, 700, 1 << 20]))
def test_readers_show_the_state(history: list[tuple[Any, ...]], file_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(play(history, Path(name), file_bytes))

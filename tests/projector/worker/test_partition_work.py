"""PartitionWork: whatever is offered, twice, late or not at all, each record is applied once and in order."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.log import LogRecord, LogUnavailableError, Topic
from projector.state.origin import StateMismatchError
from projector.worker import offered, partition_work
from projector.worker.catching_up import CatchingUp
from projector.worker.following import FoldService
from projector.worker.metrics import LAG
from projector.worker.partition_service import PartitionService
from projector.worker.partition_work import PartitionWork
from projector.worker.router_offsets import RouterOffsets
from projector.worker.standby_relay import StandbyResources, standby_relays
from tests.projector.worker.relay_cluster import GROUP, MemoryProgress
from tests.projector.worker.support import (
    Applied,
    digests,
    folded_afresh,
    opened,
    partition_resources,
    passes,
    point,
    until,
    within,
)
from tests.support.memory_log import MemoryLog

PARTITION = (Topic.POINTS, 0)


def ignore() -> None:
    """Nobody waits."""


def log_with(records: int) -> MemoryLog:
    log = MemoryLog()
    log.put(Topic.POINTS, 0, opened())
    for number in range(records - 1):
        log.put(Topic.POINTS, 0, point(number))
    return log


async def all_records(log: MemoryLog) -> list[LogRecord]:
    return list(await log.read(Topic.POINTS, 0, 0, 1 << 30))


@asynccontextmanager
async def working(
    log: MemoryLog, folder: Path, applied: Applied, changed: Callable[[], None] = ignore
) -> AsyncGenerator[PartitionWork]:
    async with partition_resources(log, folder, applied) as resources:

        async def open_service() -> FoldService:
            return await PartitionService.open(resources, 0)

        work = PartitionWork(PARTITION, open_service, CatchingUp(), changed, asyncio.Semaphore(1))
        try:
            yield work
        finally:
            await work.close()


def at(work: PartitionWork) -> int:
    return -2 if work.service is None else work.service.applied


async def _ends_as_the_log_says(log: MemoryLog, folder: Path, applied: Applied) -> None:
    offsets = applied.offsets()
    assert offsets == sorted(set(offsets))
    assert await digests(log, folder) == await folded_afresh(log, folder.with_name("afresh"))


def test_it_catches_up_and_then_follows_the_log_itself(tmp_path: Path) -> None:
    async def check() -> None:
        log, applied = log_with(50), Applied()
        async with working(log, tmp_path / "state", applied) as work:
            await until(lambda: work.caught_up)
            assert at(work) == 49
            log.put(Topic.POINTS, 0, point(50))
            await until(lambda: at(work) == 50)
        await _ends_as_the_log_says(log, tmp_path / "state", applied)

    within(check())


@pytest.mark.parametrize("seed", range(8))
def test_anything_may_be_offered(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records left out, repeated, out of order, from far back; while the one who offers comes and goes."""
    monkeypatch.setattr(partition_work, "LOOK_SECONDS", 0.05)
    choices = random.Random(seed)

    async def check() -> None:
        log, applied = log_with(1), Applied()
        async with working(log, tmp_path / "state", applied) as work:
            await until(lambda: work.caught_up)
            work.set_live(True)
            for number in range(300):
                if choices.random() < 0.1:
                    log.skip(Topic.POINTS, 0, choices.randrange(1, 4))
                log.put(Topic.POINTS, 0, point(number))
                match choices.randrange(8):
                    case 0:
                        work.set_live(choices.random() < 0.7)
                    case 1:
                        await asyncio.sleep(0)
                    case 2 | 3 | 4:
                        records = await all_records(log)
                        start = choices.randrange(len(records))
                        work.offer(records[start : start + choices.randrange(1, 20)])
                    case 5:
                        work.tell()
                    case _:
                        work.offer((await all_records(log))[-1:])
            end = await log.end_offset(Topic.POINTS, 0)
            await until(lambda: at(work) == end - 1)
        await _ends_as_the_log_says(log, tmp_path / "state", applied)

    within(check())


def test_what_is_offered_in_order_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        log, applied = log_with(10), Applied()
        async with working(log, tmp_path / "state", applied) as work:
            await until(lambda: work.caught_up)
            work.set_live(True)
            await passes()
            for number in range(10, 30):
                log.put(Topic.POINTS, 0, point(number))
            monkeypatch.setattr(log, "read", None)
            work.offer((await MemoryLog.read(log, Topic.POINTS, 0, 10, 1 << 30))[:5])
            work.offer((await MemoryLog.read(log, Topic.POINTS, 0, 13, 1 << 30))[:12])
            await until(lambda: at(work) == 24)
            monkeypatch.undo()

    within(check())


def test_what_is_offered_early_is_not_read_and_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offered, "FULL_BYTES", 5000)

    async def check() -> None:
        log, applied = log_with(10), Applied()
        async with working(log, tmp_path / "state", applied) as work:
            await until(lambda: work.caught_up)
            work.set_live(True)
            await passes()
            for number in range(10, 200):
                log.put(Topic.POINTS, 0, point(number))
            early = (await all_records(log))[10:]
            monkeypatch.setattr(log, "read", None)
            work.offer_early(early[:20])
            assert work.offered.full
            work.offer_early(early[20:])
            await until(lambda: at(work) == 29)
            await asyncio.sleep(0.05)
            assert at(work) == 29, "what comes again anyway doesn't wait here"
            work.offer(early)
            await until(lambda: at(work) == 199)
            monkeypatch.undo()
        await _ends_as_the_log_says(log, tmp_path / "state", applied)

    within(check())


def test_what_nobody_told_of_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition_work, "LOOK_SECONDS", 0.05)

    async def check() -> None:
        log, applied = log_with(10), Applied()
        async with working(log, tmp_path / "state", applied) as work:
            work.set_live(True)
            await until(lambda: work.caught_up)
            log.put(Topic.POINTS, 0, point(10))
            await until(lambda: at(work) == 10)

    within(check())


def test_the_log_may_be_away_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        log, applied = log_with(10), Applied()
        away = True

        async def read(topic: Topic, partition: int, from_offset: int, max_bytes: int) -> Sequence[LogRecord]:
            if away:
                raise LogUnavailableError("away")
            return await MemoryLog.read(log, topic, partition, from_offset, max_bytes)

        monkeypatch.setattr(log, "read", read)
        async with working(log, tmp_path / "state", applied) as work:
            await asyncio.sleep(0.1)
            assert not work.caught_up
            assert not work.task.done()
            away = False
            await until(lambda: work.caught_up)
            away = True
            log.put(Topic.POINTS, 0, point(10))
            await asyncio.sleep(0.1)
            away = False
            await until(lambda: at(work) == 10)

    within(check())


def test_a_state_that_is_open_elsewhere_is_waited_for(tmp_path: Path) -> None:
    async def check() -> None:
        log, applied = log_with(10), Applied()
        async with working(log, tmp_path / "state", applied) as first:
            await until(lambda: first.caught_up)
            async with working(log, tmp_path / "state", applied) as second:
                await asyncio.sleep(0.3)
                assert second.service is None
                await first.close()
                await until(lambda: second.caught_up)
            async with working(log, tmp_path / "state", applied) as third:
                await until(lambda: third.caught_up)
                async with working(log, tmp_path / "state", applied) as given_up:
                    await asyncio.sleep(0.05)
                assert given_up.service is None

    within(check())


def test_it_can_be_closed_at_any_time(tmp_path: Path) -> None:
    async def check() -> None:
        log, applied = log_with(400), Applied()
        for steps in range(0, 200, 5):
            async with working(log, tmp_path / "state", applied) as work:
                work.set_live(True)
                for step in range(steps):
                    work.offer((await all_records(log))[step : step + 3])
                    await asyncio.sleep(0)
        async with working(log, tmp_path / "state", applied) as work:
            await until(lambda: work.caught_up)
        await _ends_as_the_log_says(log, tmp_path / "state", applied)

    within(check())


def test_who_offers_too_much_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offered, "FULL_BYTES", 5000)
    told: list[bool] = []

    async def check() -> None:
        log, applied = log_with(10), Applied()
        async with working(log, tmp_path / "state", applied, lambda: told.append(work.offered.full)) as work:
            await until(lambda: work.caught_up)
            work.set_live(True)
            for number in range(10, 500):
                log.put(Topic.POINTS, 0, point(number))
            told.clear()
            for record in (await all_records(log))[10:]:
                work.offer([record])
            assert work.offered.full
            await until(lambda: at(work) == 499)
            assert not work.offered.full
            assert told == [True, False]

    within(check())


def test_records_without_a_value_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offered, "FULL_BYTES", 100_000)

    async def check() -> None:
        log, applied = log_with(10), Applied()
        async with working(log, tmp_path / "state", applied) as work:
            await until(lambda: work.caught_up)
            work.set_live(True)
            for number in range(1000):
                log.put(Topic.POINTS, 0, None, key=b"%d" % number)
            work.offer((await all_records(log))[10:])
            assert work.offered.full
            await until(lambda: at(work) == 1009)
            await until(lambda: not work.offered.full)

    within(check())


def test_a_log_that_lost_records_ends_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition_work, "LOOK_SECONDS", 0.05)

    async def check() -> None:
        log, applied = log_with(20), Applied()
        async with working(log, tmp_path / "state", applied) as work:
            work.set_live(True)
            await until(lambda: work.caught_up)
            log.drop_from(Topic.POINTS, 0, 10)
            with pytest.raises(StateMismatchError, match="ahead of its log"):
                await work.task

    within(check())


@pytest.mark.parametrize("routed_here", [True, False])
def test_only_the_group_that_routes_sends_what_is_rejected(tmp_path: Path, routed_here: bool) -> None:
    async def check() -> None:
        log = log_with(5)
        log.put(Topic.POINTS, 0, b"not a record")
        async with partition_resources(log, tmp_path / "state", Applied()) as resources, asyncio.TaskGroup() as group:
            standby = standby_relays(StandbyResources(RouterOffsets(log, MemoryProgress(), GROUP), group.create_task))
            chosen = resources if routed_here else replace(resources, open_relay=standby)
            service = await PartitionService.open(chosen, 0)
            await service.step()
            assert service.state.outcomes(5)
            await service.close()
        assert len(log.values(Topic.REJECTED, 0)) == int(routed_here)

    within(check())


def test_what_the_fold_raises_ends_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        log, applied = log_with(20), Applied()
        async with working(log, tmp_path / "state", applied) as work:
            await until(lambda: work.caught_up)

            def broken(*arguments: object) -> None:
                raise RuntimeError("the state is broken")

            monkeypatch.setattr("projector.state.kv.KeyValue.write", broken)
            log.put(Topic.POINTS, 0, point(20))
            with pytest.raises(RuntimeError, match="broken"):
                await work.task
            monkeypatch.undo()

    within(check())


class OnlyControlRecords(FoldService):
    """A partition of which everything that can be applied is: what is left are the log's own records."""

    def __init__(self) -> None:
        """There is no state."""

    @property
    def applied(self) -> int:
        return 4

    @property
    def unwritable(self) -> str | None:
        return None

    async def end_offset(self) -> int:
        return 12

    async def check(self) -> None:
        """It is the log that it was."""

    async def wait(self) -> None:
        await asyncio.Event().wait()

    async def step(self, end: int | None = None) -> bool:
        return False

    async def apply_all(self, records: Sequence[LogRecord]) -> None:
        raise AssertionError("there is nothing to apply")

    async def close(self) -> None:
        """Nothing is open."""


def test_behind_records_of_the_logs_own_there_is_no_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    def lag() -> dict[tuple[str, str], float]:
        samples = next(iter(LAG.collect())).samples
        return {(sample.labels["topic"], sample.labels["partition"]): sample.value for sample in samples}

    async def check() -> None:
        monkeypatch.setattr(partition_work, "LOOK_SECONDS", 0.01)

        async def open_service() -> FoldService:
            return OnlyControlRecords()

        work = PartitionWork((Topic.POINTS, 77), open_service, CatchingUp(), ignore, asyncio.Semaphore(1))
        try:
            await until(lambda: work.caught_up)
            await until(lambda: lag().get(("points", "77")) == 0)
        finally:
            await work.close()

    within(check())

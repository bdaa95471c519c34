"""When the fold waits for the optimizer: with a tail that is full."""

import asyncio
from pathlib import Path

from projector.segments.optimizer import FULL_TAILS
from projector.segments.policy import SEAL_ROWS
from tests.projector.segments.harness import Harness, Partition, fail, run


def test_the_fold_waits_for_a_full_tail_unless_sealing_fails(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        await harness.optimizer.room(0).wait()
        harness.optimizer.add(1, harness.state, Partition(tmp_path), harness.partition)
        rows = FULL_TAILS * SEAL_ROWS
        for start in range(0, rows, SEAL_ROWS):
            harness.live.apply(range(start, start + SEAL_ROWS), [b"\0" * 9] * SEAL_ROWS, 1)  # pyright: ignore[reportArgumentType]
        harness.live.publish(1)
        harness.optimizer.observe()
        waiting = asyncio.create_task(harness.optimizer.room(0).wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        await harness.optimizer.room(1).wait()
        harness.builder.before = fail
        await harness.step()
        harness.optimizer.observe()
        await waiting
        harness.builder.before = None
        harness.tick(2)
        await harness.step()
        assert harness.live.view.tail_rows == 0
        await harness.optimizer.room(0).wait()

    run(main())


def test_a_fold_that_waits_goes_on_when_its_partition_is_given_up(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        rows = FULL_TAILS * SEAL_ROWS
        harness.live.apply(range(rows), [b"\0" * 9] * rows, 1)  # pyright: ignore[reportArgumentType]
        harness.live.publish(1)
        harness.optimizer.observe()
        waiting = asyncio.create_task(harness.optimizer.room(0).wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        harness.optimizer.remove(0)
        await waiting

    run(main())

"""Tasks: the first failure is everybody's."""

import asyncio

import pytest

from compose.projector.tasks import Tasks


async def fail(after: float, what: str) -> None:
    await asyncio.sleep(after)
    raise ValueError(what)


def test_the_first_failure_is_told() -> None:
    async def main() -> None:
        tasks = Tasks()
        tasks.start(asyncio.sleep(0))
        tasks.start(fail(0.02, "second"))
        tasks.start(fail(0.01, "first"))
        with pytest.raises(ValueError, match="first"):
            await tasks.failed()
        await tasks.stop()

    asyncio.run(main())


def test_a_cancelled_task_is_no_failure() -> None:
    async def main() -> None:
        tasks = Tasks()
        forever = tasks.start(asyncio.sleep(1000))
        forever.cancel()
        waiting = asyncio.create_task(tasks.failed())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        waiting.cancel()
        await tasks.stop()

    asyncio.run(main())


def test_stopping_cancels_what_runs() -> None:
    async def main() -> None:
        tasks = Tasks()
        forever = tasks.start(asyncio.sleep(1000))
        await tasks.stop()
        assert forever.cancelled()

    asyncio.run(main())

"""Waiters: whoever waits for an offset is told when it is visible, and what became of its record."""

import asyncio
import gc

import pytest

from projector import waiters
from projector.waiters import Waiters
from schemas.errors import TimedOutError
from schemas.operations import Outcome

REJECTED = [Outcome("Not found", 404)]


def test_an_outcome_is_told_to_who_waits_and_to_who_asks_later() -> None:
    async def main() -> None:
        waiting = Waiters(-1)
        tasks = [asyncio.create_task(waiting.wait(offset, None)) for offset in (2, 1, 2)]
        await asyncio.sleep(0)
        waiting.advance(1)
        waiting.advance(2, REJECTED)
        assert [list(await task) for task in tasks] == [REJECTED, [], REJECTED]
        assert list(await waiting.wait(2, None)) == REJECTED
        assert list(await waiting.wait(1, None)) == []

    asyncio.run(main())


def test_an_outcome_may_be_known_before_it_is_visible() -> None:
    async def main() -> None:
        waiting = Waiters(-1)
        task = asyncio.create_task(waiting.wait(1, None))
        await asyncio.sleep(0)
        waiting.remember(1, REJECTED)
        await asyncio.sleep(0)
        assert not task.done()
        waiting.advance(5)
        assert list(await task) == REJECTED

    asyncio.run(main())


def test_however_many_are_rejected_at_once_each_waiter_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiters, "KEPT_OUTCOMES", 3)

    async def main() -> None:
        waiting = Waiters(-1)
        tasks = [asyncio.create_task(waiting.wait(offset, None)) for offset in range(10)]
        await asyncio.sleep(0)
        for offset in range(10):
            waiting.remember(offset, REJECTED)
        waiting.advance(9)
        assert [list(await task) for task in tasks] == [REJECTED] * 10

    asyncio.run(main())


def test_what_was_missed_is_never_said_to_be_applied() -> None:
    async def main() -> None:
        waiting = Waiters(2)
        task = asyncio.create_task(waiting.wait(4, None))
        await asyncio.sleep(0)
        waiting.missed(2, 5)
        waiting.remember(5, REJECTED)
        waiting.advance(7)
        (outcome,) = await task
        assert outcome.status == TimedOutError.status
        assert "offset 4" in str(outcome.reason)
        assert [len(await waiting.wait(offset, None)) for offset in (2, 3, 6, 7)] == [0, 1, 0, 0]
        assert list(await waiting.wait(5, None)) == REJECTED

    asyncio.run(main())


def test_waiting_ends_in_time() -> None:
    async def main() -> None:
        with pytest.raises(TimedOutError, match="offset 4"):
            await Waiters(3).wait(4, 0.01)

    asyncio.run(main())


def test_waits_that_ended_are_not_kept() -> None:
    async def main() -> None:
        waiting = Waiters(3)
        lasting = [asyncio.create_task(waiting.wait(offset, None)) for offset in (9, 4, 7)]
        await asyncio.sleep(0)
        before = _futures()
        await _give_up(waiting)
        await asyncio.sleep(0)
        assert _futures() - before < 100
        waiting.advance(4)
        await lasting[1]
        assert not lasting[2].done()
        waiting.advance(9)
        await asyncio.gather(*lasting)

    asyncio.run(main())


async def _give_up(waiting: Waiters) -> None:
    late = [asyncio.create_task(waiting.wait(10**12, 0.0)) for _ in range(1000)]
    cancelled = [asyncio.create_task(waiting.wait(10**12 - n, None)) for n in range(1000)]
    await asyncio.sleep(0)
    for task in cancelled:
        task.cancel()
    ended = await asyncio.gather(*late, *cancelled, return_exceptions=True)
    assert {type(error) for error in ended} == {TimedOutError, asyncio.CancelledError}


def _futures() -> int:
    gc.collect()
    return sum(type(thing) is asyncio.Future for thing in gc.get_objects())

"""What is done on the kernel's threads, and what stays on the event loop."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.deadline import Deadline
from projector.kernel import KernelGraph, KernelPool
from query_api.native import BESIDE_US, HAND_OVER_US, LONG_US, SPLIT_US, Answer, NativeThreads
from schemas.errors import TimedOutError

SHORT_US = HAND_OVER_US + 1
SECONDS = 60.0


def graph() -> KernelGraph:
    """Of two rows, each of which leads to the other."""
    return KernelGraph(np.eye(2, dtype=np.float32), "dot", np.array([[1, 1], [1, 0]], np.uint32), [], 0)


class Work:
    """A walk of which it is kept what came of it."""

    def __init__(self, us: float = SHORT_US, graph_: KernelGraph | None = None, *, divisible: bool = False) -> None:
        self.us = us
        self.divisible = divisible
        self.answer: Answer | None = None
        self._graph = graph_ or graph()
        self._query: NDArray[np.float32] = np.array([0, 1], np.float32)

    def begin(self, pool: KernelPool, ticket: int) -> None:
        pool.walk(ticket, self._graph, self._query, 1, 1)

    def end(self, answer: Answer) -> None:
        self.answer = answer

    @property
    def done(self) -> bool:
        if self.answer is None:
            return False
        assert not isinstance(self.answer, str)
        assert self.answer[0].tolist()[0] == 1
        return True


def run(*asked: Sequence[Work]) -> None:
    """What several ask for in one turn of a loop."""

    async def together() -> None:
        threads = NativeThreads()
        for _ in range(2):
            await asyncio.gather(*(threads.run(works, Deadline(SECONDS)) for works in asked))

    asyncio.run(together())


def test_what_is_alone_and_short_stays_on_the_loop() -> None:
    work = Work()
    run([work])
    assert not work.done


def test_the_only_request_waits_for_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is under way is known before it begins: nobody else can come in the same turn of the loop."""
    under_way: set[asyncio.Task[None]] = set()
    monkeypatch.setattr("ingest.http.under_way.UNDER_WAY", under_way)

    async def turns(works: Sequence[Work], at_once: int) -> int:
        """How often the loop went on to something else while each of these was asked for."""
        seen = 0

        def turn() -> None:
            nonlocal seen
            seen += 1

        threads = NativeThreads()
        asyncio.get_running_loop().call_soon(turn)
        asked = [threads.run([work], Deadline(SECONDS)) for work in works]
        if at_once == 1:
            await asked[0]
        else:
            await asyncio.gather(*asked)
        return seen

    async def request(works: Sequence[Work], others: int) -> int:
        under_way.clear()
        found: list[int] = []

        async def answer() -> None:
            found.append(await turns(works, len(works)))

        task = asyncio.create_task(answer())
        idle = [asyncio.create_task(asyncio.Event().wait()) for _ in range(others)]
        under_way.update((task, *idle))  # type: ignore[arg-type]
        await task
        for other in idle:
            other.cancel()
        return found[0]

    alone, beside, several = Work(), Work(), [Work(), Work()]
    assert asyncio.run(request([alone], 0)) == 0
    assert asyncio.run(request([beside], 1)) == 1
    assert asyncio.run(request(several, 0)) == 1
    assert [alone.done, beside.done, *(work.done for work in several)] == [False, False, True, True]


def test_what_is_long_does_not() -> None:
    work = Work(LONG_US)
    run([work])
    assert work.done


def test_what_several_threads_do_together_is_sooner_worth_handing_over() -> None:
    works = Work(SPLIT_US), Work(SPLIT_US, divisible=True), Work(SPLIT_US - 1, divisible=True)
    for work in works:
        run([work])
    assert [work.done for work in works] == [False, True, False]


def test_what_comes_together_is_done_together() -> None:
    works = [Work() for _ in range(50)]
    run(*([work] for work in works))
    assert all(work.done for work in works)


def test_what_one_asks_for_together_is_done_together_except_what_is_tiny() -> None:
    works = [Work(), Work(), Work(HAND_OVER_US), Work(BESIDE_US)]
    run(works)
    assert [work.done for work in works] == [True, True, True, False]


def test_what_is_short_each_but_not_together_is_handed_over_too() -> None:
    works = [Work(HAND_OVER_US) for _ in range(10)]
    run(works)
    assert all(work.done for work in works)


def test_what_is_short_together_stays_on_the_loop_where_it_is_alone() -> None:
    works = [Work(HAND_OVER_US / 2) for _ in range(4)]
    run(works)
    assert not any(work.done for work in works)


def test_nothing_is_waited_for_where_all_is_tiny() -> None:
    works = [Work(1.0), Work(1.0)]
    run(works)
    assert not any(work.done for work in works)


def test_who_does_not_wait_any_more_leaves_the_others_theirs() -> None:
    async def cancelled() -> Work:
        threads, works = NativeThreads(), [Work(LONG_US) for _ in range(3)]
        waiting = [asyncio.create_task(threads.run([work], Deadline(SECONDS))) for work in works]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return works[2]

    assert asyncio.run(cancelled()).done


def test_who_went_before_it_was_known_who_else_came_is_not_waited_for() -> None:
    async def cancelled() -> Work:
        threads, work = NativeThreads(), Work()
        waiting = asyncio.create_task(threads.run([Work()], Deadline(SECONDS)))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await threads.run([work], Deadline(SECONDS))
        return work

    assert not asyncio.run(cancelled()).done


def test_nobody_waits_beyond_the_deadline() -> None:
    async def late() -> None:
        with pytest.raises(TimedOutError):
            await NativeThreads().run([Work(LONG_US)], Deadline(0.0))

    asyncio.run(late())


def test_who_waits_is_told_of_a_deadline_that_comes_meanwhile_and_others_wait_on() -> None:
    class Endless(Work):
        def begin(self, pool: KernelPool, ticket: int) -> None:
            """Nothing comes of it."""

    async def late() -> None:
        threads = NativeThreads()
        patient = asyncio.create_task(threads.run([Endless(LONG_US)], Deadline(SECONDS)))
        await asyncio.sleep(0)
        with pytest.raises(TimedOutError):
            await threads.run([Endless(LONG_US)], Deadline(0.001))
        assert not patient.done()
        patient.cancel()

    asyncio.run(late())

"""The limit on queued bytes."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.byte_budget import ByteBudget
from tests.ingest.embedded.support import within


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_grants_in_order_while_there_is_room() -> None:
    async def check() -> None:
        budget = ByteBudget(10)
        await budget.take(8)
        granted: list[int] = []

        async def take(size: int) -> None:
            await budget.take(size)
            granted.append(size)

        tasks = [asyncio.create_task(take(size)) for size in (5, 1, 2)]
        await turn()
        assert granted == []
        budget.give(8)
        await turn()
        assert granted == [5, 1, 2]
        assert budget.taken == 8
        await asyncio.gather(*tasks)

    within(check())


def test_what_is_larger_than_the_budget_is_granted_alone() -> None:
    async def check() -> None:
        budget = ByteBudget(10)
        await budget.take(1)
        large = asyncio.create_task(budget.take(100))
        await turn()
        assert not large.done()
        budget.give(1)
        await large
        small = asyncio.create_task(budget.take(1))
        await turn()
        assert not small.done()
        budget.give(100)
        await small

    within(check())


def test_a_cancelled_request_takes_nothing() -> None:
    async def check() -> None:
        budget = ByteBudget(10)
        await budget.take(10)
        first, second = (asyncio.create_task(budget.take(10)) for _ in range(2))
        await turn()
        first.cancel()
        await turn()
        budget.give(10)
        await second
        assert budget.taken == 10

    within(check())


def test_a_request_cancelled_just_after_it_was_granted_gives_back() -> None:
    async def check() -> None:
        budget = ByteBudget(10)
        await budget.take(10)
        waiting = asyncio.create_task(budget.take(10))
        await turn()
        budget.give(10)
        waiting.cancel()
        await turn()
        assert waiting.cancelled()
        assert budget.taken == 0

    within(check())


def test_requests_cancelled_in_one_turn_take_nothing() -> None:
    async def check() -> None:
        budget = ByteBudget(10)
        await budget.take(5)
        # The second would be granted as soon as the first is out of its way, but that it is cancelled, too.
        waiting = [asyncio.create_task(budget.take(size)) for size in (6, 5, 6, 2)]
        await turn()
        for task in waiting:
            task.cancel()
        await turn()
        assert all(task.cancelled() for task in waiting)
        assert budget.taken == 5
        await budget.take(5)

    within(check())


@pytest.mark.parametrize("following", [10, 3])
def test_a_cancelled_request_is_passed_over_before_it_knows(following: int) -> None:
    async def check() -> None:
        budget = ByteBudget(10)
        await budget.take(10)
        cancelled, next_one = (asyncio.create_task(budget.take(size)) for size in (7, following))
        await turn()
        cancelled.cancel()
        budget.give(10)
        await next_one
        assert cancelled.cancelled()
        assert budget.taken == following

    within(check())


def test_what_is_given_back_after_a_grant_goes_to_the_next() -> None:
    async def check() -> None:
        budget = ByteBudget(10)
        await budget.take(10)
        cancelled, next_one = (asyncio.create_task(budget.take(10)) for _ in range(2))
        await turn()
        budget.give(10)
        cancelled.cancel()
        await next_one
        assert cancelled.cancelled()
        assert budget.taken == 10

    within(check())


TAKES = st.lists(st.integers(0, 14), max_size=4)
ENDS = st.lists(st.tuples(st.sampled_from(["cancel", "give"]), st.integers(0, 9)), max_size=5)


@given(st.lists(st.tuples(TAKES, ENDS), max_size=10))
def test_whatever_is_cancelled_when_nothing_is_lost(turns: list[tuple[list[int], list[tuple[str, int]]]]) -> None:
    async def check() -> None:
        budget = ByteBudget(10)
        held: list[int] = []
        tasks: list[asyncio.Task[None]] = []

        async def take(size: int) -> None:
            await budget.take(size)
            held.append(size)

        for takes, ends in turns:
            tasks += [asyncio.create_task(take(size)) for size in takes]
            await turn()
            for what, number in ends:
                if what == "give" and held:
                    budget.give(held.pop(number % len(held)))
                elif what == "cancel" and (waiting := [task for task in tasks if not task.done()]):
                    waiting[number % len(waiting)].cancel()
            await turn()
            assert budget.taken == sum(held)
            assert budget.taken <= 10 or sum(size > 0 for size in held) == 1
        await turn()
        while held:
            budget.give(held.pop())
            await turn()
        assert budget.taken == 0
        for task in tasks:
            assert task.cancelled() or await task is None

    within(check())

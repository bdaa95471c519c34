"""The limit on queued bytes."""

import asyncio

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

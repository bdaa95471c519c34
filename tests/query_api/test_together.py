"""Many calls, some at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from query_api.together import together


class Calls:
    """Calls that take several turns of the loop, the earlier ones more."""

    def __init__(self, failing: frozenset[int] = frozenset()) -> None:
        self.running = 0
        self.most = 0
        self.begun = 0
        self._failing = failing

    async def one(self, number: int) -> int:
        self.begun += 1
        self.running += 1
        self.most = max(self.most, self.running)
        for _ in range(20 - number % 20):
            await asyncio.sleep(0)
        self.running -= 1
        if number in self._failing:
            raise ValueError(str(number))
        return number


def test_results_are_in_order_and_so_many_run_at_a_time() -> None:
    calls = Calls()
    assert asyncio.run(together([partial(calls.one, n) for n in range(50)], 4)) == list(range(50))
    assert (calls.most, calls.running) == (4, 0)


def test_nothing_is_nothing() -> None:
    assert asyncio.run(together(list[Callable[[], Awaitable[int]]](), 4)) == []


def test_the_first_failure_is_told_and_what_had_not_begun_does_not() -> None:
    calls = Calls(frozenset({1, 3}))
    with pytest.raises(ValueError, match="1"):
        asyncio.run(together([partial(calls.one, n) for n in range(50)], 4))
    assert calls.running == 0
    assert calls.begun < 10

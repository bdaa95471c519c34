"""Some of many at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

ResultT = TypeVar("ResultT")


async def together(calls: Sequence[Callable[[], Awaitable[ResultT]]], most: int) -> list[ResultT]:
    """What each of ``calls`` gives, in order; ``most`` of them run at a time.

    Where some fail, no more are begun, and the first of those that failed says why.
    """
    results: dict[int, ResultT] = {}
    failures: dict[int, Exception] = {}
    left = iter(range(len(calls)))

    async def work() -> None:
        for number in left:
            try:
                results[number] = await calls[number]()
            except Exception as error:
                failures[number] = error
            if failures:
                return

    await asyncio.gather(*(work() for _ in range(min(most, len(calls)))))
    if failures:
        raise failures[min(failures)]
    return [results[number] for number in range(len(calls))]

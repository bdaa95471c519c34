"""Two engines asked the same in turns."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.results import Results

QUERIES = 40
"""So many different ones of each kind."""
WARM_UP = 3
Spent = tuple[float, float]
"""Seconds by the clock, and of processors: where others are at work, the latter say more."""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of query: what answers its i-th one, in both."""

    name: str
    ours: Callable[[int], Awaitable[Any]]
    theirs: Callable[[int], Any]


async def measure(cases: Sequence[Case], rounds: int, results: Results, group: str) -> None:
    """Ask in turns, and keep the median of each. All on one event loop, as in a server."""
    for case in cases:
        for at in range(WARM_UP):
            await case.ours(at)
            case.theirs(at)
        ours: list[Spent] = []
        theirs: list[Spent] = []
        for _ in range(rounds):
            for at in range(QUERIES):
                started = _now()
                await case.ours(at)
                ended = _now()
                case.theirs(at)
                ours.append(_between(started, ended))
                theirs.append(_between(ended, _now()))
        results.add(group, case.name, *_both(ours, theirs, 0))
        results.add(group, f"{case.name}, processor time", *_both(ours, theirs, 1))


def _both(ours: Sequence[Spent], theirs: Sequence[Spent], which: int) -> tuple[float, str, float]:
    mine, other = (median(each[which] for each in some) * 1e3 for some in (ours, theirs))
    return mine, "ms", other


def _now() -> Spent:
    return time.perf_counter(), time.process_time()


def _between(started: Spent, ended: Spent) -> Spent:
    return ended[0] - started[0], ended[1] - started[1]

"""What a query's plan is, and what it cost: told with the answer to who asks for it with ``explain=true``."""

from itertools import pairwise
from time import perf_counter

import msgspec


class PartNote(msgspec.Struct):
    """What was done in one part of a shard, a segment or the tail.

    ``points``: those that live there. ``candidates``: how many rows were looked at; of a graph, how far it was to look.
    ``rescored``: how many of them were scored exactly.
    """

    shard: int
    part: str
    points: int
    strategy: str = "none"
    why: str = ""
    candidates: int = 0
    rescored: int = 0
    microseconds: int = 0


class NodeNote(msgspec.Struct):
    """One node of a plan: ``found`` points in ``microseconds``, those of its inputs included."""

    node: str
    limit: int
    using: str | None = None
    filtered: bool = False
    found: int = 0
    microseconds: int = 0
    parts: list[PartNote] = []
    inputs: list["NodeNote"] = []


class Explanation(msgspec.Struct):
    """A plan as it was run; ``microseconds`` are those of planning, of finding, and of fetching what was found."""

    plan: NodeNote
    planning_microseconds: int = 0
    finding_microseconds: int = 0
    fetching_microseconds: int = 0
    rendering_microseconds: int = 0


class Notes:
    """What is noted for one leaf while it looks into the parts of a shard, one after another."""

    def __init__(self) -> None:
        self.parts: list[PartNote] = []
        self._started = 0.0

    def begin(self, part: str, points: int) -> None:
        """What is said from here on is about another part."""
        self.end()
        self.parts.append(PartNote(0, part, points))
        self._started = perf_counter()

    def say(self, strategy: str, why: str, candidates: int = 0, rescored: int = 0) -> None:
        """How the part is looked into; the last time counts."""
        note = self.parts[-1]
        note.strategy, note.why, note.candidates, note.rescored = strategy, why, candidates, rescored

    def end(self) -> None:
        """No part is looked into any more."""
        if self.parts and self._started:
            self.parts[-1].microseconds += since(self._started)
        self._started = 0.0

    def clear(self) -> None:
        """Begin again."""
        self.parts.clear()
        self._started = 0.0


class Clock:
    """Tells the steps of an answer by their time."""

    def __init__(self) -> None:
        self._times = [perf_counter()]

    def planned(self) -> None:
        """The plan is made."""
        self._times.append(perf_counter())

    def found(self) -> None:
        """All hits are known."""
        self._times.append(perf_counter())

    def fetched(self) -> None:
        """Their points are fetched."""
        self._times.append(perf_counter())

    def explanation(self, plan: NodeNote) -> Explanation:
        """What is told of a plan that was answered just now."""
        times = [*self._times, perf_counter()]
        planning, finding, fetching, rendering = (round((b - a) * 1e6) for a, b in pairwise(times))
        return Explanation(plan, planning, finding, fetching, rendering)


def since(started: float) -> int:
    """Microseconds since a ``perf_counter``."""
    return round((perf_counter() - started) * 1e6)

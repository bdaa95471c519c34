"""Asking several in turns, and looking for the least ef that is good enough."""

from collections.abc import Callable, Sequence
from typing import Any

Answers = tuple[list[float], list[Any]]
"""Seconds of each question, and its answer."""
Ask = Callable[[slice], Answers]
"""Asks these of one's questions, one at a time."""

TURN = 100
"""Questions before the next has its turn: a machine that slows down meanwhile slows all."""


def in_turns(questions: int, *asks: Ask, turn: int = TURN) -> list[Answers]:
    """Everything of each, ``turn`` questions at a time."""
    found: list[Answers] = [([], []) for _ in asks]
    for start in range(0, questions, turn):
        for ask, (seconds, answers) in zip(asks, found, strict=True):
            some, answered = ask(slice(start, min(start + turn, questions)))
            seconds += some
            answers += answered
    return found


def least_reaching(aimed: float, efs: Sequence[int], recall_at: Callable[[int], float]) -> tuple[int, float]:
    """The first of ``efs``, which ascend, whose recall is as aimed, or else the last; and its recall."""
    ef, reached = efs[0], 0.0
    for ef in efs:
        reached = recall_at(ef)
        if reached >= aimed:
            break
    return ef, reached

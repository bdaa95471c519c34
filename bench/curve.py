"""Recall against time: what one system with one way to store vectors reaches as it looks farther."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.workload import Ids, recall

EFS = (16, 32, 64, 128, 256, 512)


@dataclass
class Curve:
    """One system with one storage, by ascending ef: recall@10, milliseconds of a search (p50), searches a second."""

    system: str
    storage: str
    recall: list[float] = field(default_factory=list[float])
    milliseconds: list[float] = field(default_factory=list[float])
    per_second: list[float] = field(default_factory=list[float])

    def add(self, found: Sequence[Sequence[int]], right: Ids, seconds: Sequence[float], per_second: float) -> None:
        """What one ef gave."""
        self.recall.append(recall(found, right))
        self.milliseconds.append(median(seconds) * 1000)
        self.per_second.append(per_second)


def one_by_one(ask: Callable[[Any], Any], asked: Sequence[Any]) -> tuple[list[float], list[Any]]:
    """Seconds and answers of direct calls."""
    seconds: list[float] = []
    answers: list[Any] = []
    for one in asked:
        begun = time.perf_counter()
        answers.append(ask(one))
        seconds.append(time.perf_counter() - begun)
    return seconds, answers


def on_all_cores(ask: Callable[[Any], Any], asked: Sequence[Any]) -> float:
    """Answers a second."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        list(threads.map(ask, asked[:8]))
        begun = time.perf_counter()
        list(threads.map(ask, asked))
        return len(asked) / (time.perf_counter() - begun)

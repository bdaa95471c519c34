"""Progress of long work: a bar on a terminal, a log line every few seconds elsewhere."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINE_SECONDS = 5.0
_logger = structlog.get_logger("headwater.progress")


class Advance(Protocol):
    """Told how far the work is."""

    def __call__(self, done: int) -> None:
        """``done`` of the total."""
        ...


@contextmanager
def progress(what: str, total: int) -> Generator[Advance]:
    """Show the progress of ``what`` while the block runs."""
    if sys.stderr.isatty():
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done: bar.update(task, completed=done)
        return
    last = time.monotonic()

    def advance(done: int) -> None:
        nonlocal last
        if done >= total or time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            _logger.info("progress", what=what, done=done, total=total)

    yield advance

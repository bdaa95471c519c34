"""Progress of long work: a bar on a terminal, a log line every few seconds elsewhere."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

LINE_SECONDS = 5.0
_logger = structlog.get_logger("headwater.progress")


class Advance(Protocol):
    """Told how far the work is."""

    def __call__(self, done: int) -> None:
        """``done`` of the total."""
        ...


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.finished_speed or task.speed or 0:,.0f}/s")


@contextmanager
def progress(what: str, total: int | None) -> Generator[Advance]:
    """Show the progress of ``what`` while the block runs; where no one knows the ``total``, how fast it is."""
    if sys.stderr.isatty():
        remaining = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        counting = (TextColumn("{task.completed:,}"), _RateColumn())
        columns = (TextColumn("{task.description}", markup=False), *(counting if total is None else remaining))
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done: bar.update(task, completed=done)
        return
    began = last = time.monotonic()

    def advance(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINE_SECONDS or (total is not None and done >= total):
            last = now
            facts = {"per_second": round(done / max(now - began, 1e-9))} if total is None else {"total": total}
            _logger.info("progress", what=what, done=done, **facts)

    yield advance

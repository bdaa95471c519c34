"""A bar that shows progress on a terminal."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.finished_speed or task.speed or 0:,.0f}/s")


@contextmanager
def progress_bar(what: str, total: int | None) -> Generator[Callable[[int], None]]:
    """Show how far ``what`` is, as it is told, while the block runs; how fast where no one knows the ``total``."""
    remaining = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    counting = (TextColumn("{task.completed:,}"), _RateColumn())
    columns = (TextColumn("{task.description}", markup=False), *(counting if total is None else remaining))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)

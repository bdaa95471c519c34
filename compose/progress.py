"""Progress of long work: a bar on a terminal, a log line every few seconds elsewhere."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

import structlog

LINE_SECONDS = 5.0
_logger = structlog.get_logger("headwater.progress")


class Advance(Protocol):
    """Told how far the work is."""

    def __call__(self, done: int) -> None:
        """``done`` of the total."""
        ...


@contextmanager
def progress(what: str, total: int | None) -> Generator[Advance]:
    """Show the progress of ``what`` while the block runs; where no one knows the ``total``, how fast it is."""
    if sys.stderr.isatty():
        from compose.progress_bar import progress_bar

        with progress_bar(what, total) as update:
            yield lambda done: update(done)
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

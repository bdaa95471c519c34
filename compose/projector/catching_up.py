"""How far catching up is: a bar on a terminal, a log line every few seconds elsewhere."""

from contextlib import AbstractContextManager

from compose.progress import Advance, progress


class CatchUpDisplay:
    """Shows one stretch of catching up at a time; a stretch grows when more partitions are given."""

    def __init__(self) -> None:
        self._total = 0
        self._showing: AbstractContextManager[Advance] | None = None
        self._advance: Advance | None = None

    def report(self, done: int, total: int) -> None:
        """``done`` offsets of ``total`` are applied."""
        if total != self._total:
            self.close()
            self._total = total
            self._showing = progress("catching up with the log", total)
            self._advance = self._showing.__enter__()
        if self._advance is not None:
            self._advance(done)
        if done >= total:
            self.close()

    def close(self) -> None:
        """Show nothing more."""
        if self._showing is not None:
            self._showing.__exit__(None, None, None)
        self._total, self._showing, self._advance = 0, None, None

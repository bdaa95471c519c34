"""What the points and the catalog service of a worker have in common."""

from collections.abc import Sequence
from typing import Protocol

from ingest.log import LogRecord


class FoldService(Protocol):
    """One partition of one topic, opened: its state is this process's alone until it is closed."""

    @property
    def applied(self) -> int:
        """The applied offset."""
        ...

    @property
    def unwritable(self) -> str | None:
        """Why the disk takes nothing of what is applied; None while it does."""
        ...

    async def end_offset(self) -> int:
        """Where the log ends. Raises LogUnavailableError."""
        ...

    async def check(self) -> None:
        """Raise StateMismatchError when the log is not, or no longer, the one the state was folded from."""
        ...

    async def wait(self) -> None:
        """Return once there is a record after the applied offset. Raises LogUnavailableError, LogDamagedError."""
        ...

    async def step(self, end: int | None = None) -> bool:
        """Apply the next records that one read gives, those below ``end``; False when there are none.

        Raises LogUnavailableError, LogDamagedError, LogTruncatedError when the next records were deleted; what the
        fold raises ends the process.
        """
        ...

    async def take(self, records: Sequence[LogRecord]) -> None:
        """Apply these records, which are in order; raises as ``step``.

        Those at or below the applied offset are skipped; where one doesn't follow on the applied offset, the log is
        read from there instead, so that nothing can be left out.
        """
        ...

    async def close(self) -> None:
        """Make the state durable and let it go."""
        ...

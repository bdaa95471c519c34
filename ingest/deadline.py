"""The time that a request has."""

from time import monotonic


class Deadline:
    """When a request's time is up. All that is done for the request shares the time, whichever part takes it."""

    __slots__ = ("_end", "seconds")

    def __init__(self, seconds: float) -> None:
        """The time is up ``seconds`` from now."""
        self.seconds = seconds
        self._end = monotonic() + seconds

    def end(self) -> None:
        """The time is up now."""
        self._end = 0.0

    def left(self) -> float:
        """How many seconds are left; 0 when there are none."""
        return max(0.0, self._end - monotonic())

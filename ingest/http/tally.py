"""What was answered, and how fast: noted plainly by each answer, and given to the metrics' library many at a time.

Its metrics take a lock for each number and look through their buckets: among the code of a request, which is cold, a
tenth of what HTTP takes.
"""

from weakref import WeakSet

from prometheus_client import Counter, Histogram

RESPONSES = Counter("headwater_http_responses_total", "Answers given", ["method", "path", "status"])
SECONDS = Histogram(
    "headwater_http_seconds",
    "Time from a request's head to its answer",
    ["method", "path"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
NOTED = 256
"""Answers of an endpoint that are given on at once; so many take half a millisecond."""


class Tally:
    """Counts the answers of one endpoint. For one event loop."""

    def __init__(self, method: str, path: str) -> None:
        self._method = method
        self._path = path
        self._seconds = SECONDS.labels(method, path)
        self._noted: list[float] = []
        self._statuses: dict[str | int, int] = {}
        _TALLIES.add(self)

    def note(self, status: str | int, seconds: float) -> None:
        """One more answer."""
        statuses, noted = self._statuses, self._noted
        statuses[status] = statuses.get(status, 0) + 1
        noted.append(seconds)
        if len(noted) >= NOTED:
            self.give()

    def give(self) -> None:
        """Have the metrics know of all that was noted."""
        for status, count in self._statuses.items():
            RESPONSES.labels(self._method, self._path, str(status)).inc(count)
        for seconds in self._noted:
            self._seconds.observe(seconds)
        self._statuses.clear()
        self._noted.clear()


_TALLIES: WeakSet[Tally] = WeakSet()


def give_all() -> None:
    """Have the metrics know of all that was noted anywhere."""
    for tally in tuple(_TALLIES):
        tally.give()

"""Client threads: one request at a time each, until the server is gone."""

import http.client
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.crash.client_thread import ClientThread, CrashError, Habits
from tests.crash.model import Id, Owner, Point, State
from tests.support.http import Answer, Http

RETRY_STATUS = 429
ATTEMPTS = 20
UNKNOWN_STATUSES = (503, 408)
"""The log doesn't answer, or readers don't get on: what was asked for may have been done, or be done soon."""


def describe(point: Point | None) -> str:
    """A point in a few words."""
    if point is None:
        return "nothing"
    start = {name: vector[:2] for name, vector in point.vectors.items()}
    return f"payload {dict(sorted(point.payload.items()))}, vectors {start}"[:300]


def send_until_known(connection: Http, method: str, path: str, body: bytes, habits: Habits) -> Answer:
    """Send a request that may be done twice, again and again while its outcome is not known."""
    for _ in range(ATTEMPTS):
        answer = connection.send(method, path, body)
        if not (habits.outages and answer.status in UNKNOWN_STATUSES):
            return answer
    raise CrashError(f"{method} {path} never answered whether it was done")


class Writer(ClientThread):
    """Sends an owner's requests from a thread of its own and keeps the owner's knowledge."""

    def __init__(self, owner: Owner, habits: Habits) -> None:
        super().__init__(f"writer {owner.number}")
        self.owner = owner
        self._habits = habits
        self.pending: State | None = None
        self.acknowledged = 0
        self.last_operation = -1

    def start(self, port: int) -> None:
        """Begin to write."""
        self.begin(partial(self._run, port))

    def _run(self, port: int) -> None:
        with Http(port) as connection:
            for _ in range(self._habits.most):
                if self._stop.wait(self._habits.pause):
                    return
                request = self.owner.next_request()
                self.pending = request.effects
                try:
                    answer = connection.send(request.method, request.path, json.dumps(request.body).encode())
                except (OSError, http.client.HTTPException):
                    return
                if answer.status == RETRY_STATUS:
                    self.pending = None
                    continue
                if self._habits.outages and answer.status in UNKNOWN_STATUSES:
                    return
                if answer.status != 200:
                    self.failure = f"{request.method} {request.path} answered {answer.status}: {answer.body[:500]!r}"
                    return
                self._acknowledge(answer)

    def fill(self, connection: Http, size: int) -> None:
        """Write all of the owner's points once, so many in a request. Raises CrashError."""
        for request in self.owner.fill_requests(size):
            self.pending = request.effects
            body = json.dumps(request.body).encode()
            answer = send_until_known(connection, request.method, request.path, body, self._habits)
            if answer.status != 200:
                raise CrashError(f"{request.method} {request.path} answered {answer.status}: {answer.body[:500]!r}")
            self._acknowledge(answer)

    def _acknowledge(self, answer: Answer) -> None:
        self.owner.known.update(self.pending or {})
        self.pending = None
        self.acknowledged += 1
        result: Any = answer.json()["result"]
        operation: int = result["operation_id"] if "operation_id" in result else result[-1]["operation_id"]
        if self.owner.layout.atomic and operation <= self.last_operation:
            self.failure = f"operation_id {operation} came after {self.last_operation}"
        self.last_operation = operation

    def settle(self, observed: dict[Id, Point]) -> int:
        """Hold what is there against what must be, and learn what became of the request in flight.

        Returns 1 if there was one that took effect. Raises CrashError naming a point that is wrong.
        """
        pending, self.pending = self.pending or {}, None
        for point_id in self.owner.ids:
            if point_id not in pending:
                self._check(point_id, observed.get(point_id), [self.owner.known[point_id]])
        changing = {i: new for i, new in pending.items() if new != self.owner.known[i]}
        took: set[bool] = set()
        for point_id, new in changing.items():
            seen = observed.get(point_id)
            self._check(point_id, seen, [self.owner.known[point_id], new])
            took.add(seen == new)
            self.owner.known[point_id] = seen
        if self.owner.layout.atomic and len(took) > 1:
            raise CrashError(f"writer {self.owner.number}: the request in flight took effect in part")
        return int(True in took)

    def _check(self, point_id: Id, seen: Point | None, allowed: list[Point | None]) -> None:
        if seen not in allowed:
            expected = ", or ".join(describe(point) for point in allowed)
            raise CrashError(
                f"writer {self.owner.number}, {self.owner.layout.name}: point {point_id} is {describe(seen)};"
                f" expected {expected}"
            )


class Reader(ClientThread):
    """Searches while others write; what it gets must make sense in itself."""

    def __init__(self, make: Callable[[], tuple[str, bytes]], habits: Habits) -> None:
        super().__init__("reader")
        self._make = make
        self._habits = habits
        self.answered = 0

    def start(self, port: int) -> None:
        """Begin to search."""
        self.begin(partial(self._run, port))

    def _run(self, port: int) -> None:
        with Http(port) as connection:
            for _ in range(self._habits.most):
                if self._stop.wait(self._habits.pause):
                    return
                path, body = self._make()
                try:
                    answer = connection.send("POST", path, body)
                except (OSError, http.client.HTTPException):
                    return
                if answer.status != 200:
                    self.failure = f"{path} answered {answer.status}: {answer.body[:500]!r}"
                    return
                hits = answer.json()["result"]["points"]
                ids = [hit["id"] for hit in hits]
                scores = [hit["score"] for hit in hits]
                if len(set(ids)) != len(ids) or scores != sorted(scores, reverse=True):
                    self.failure = f"{path} answered ids twice or scores out of order: {hits}"
                    return
                self.answered += 1

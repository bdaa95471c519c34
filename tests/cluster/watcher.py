"""Searches for everything in a collection that nobody writes, again and again: nothing may ever be missing."""

import threading
from http.client import HTTPException
from types import TracebackType
from typing import Self

from tests.support.http import Http
from tests.support.waiting import TIMEOUT_SECONDS, eventually

NAME = "still"
COUNT = 200
PAUSE_SECONDS = 0.05
SHARDS = 5
SEARCH = {"query": [1.0, 0.5], "limit": COUNT + 10, "params": {"exact": True}}


class Watcher:
    """A thread that searches while its context lasts; leaving it raises AssertionError when anything was missing.

    Every search is on a connection of its own, so that any worker may answer.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher")
        self.answered = 0
        self.failure: str | None = None

    def fill(self) -> None:
        """Make the collection."""
        points = [{"id": i, "vector": [i, 1.0], "payload": {"i": i}} for i in range(COUNT)]
        with Http(self._port) as http:
            config = {"vectors": {"size": 2, "distance": "Dot"}, "shard_number": SHARDS}
            assert http.put(f"/collections/{NAME}", config).result is True
            assert http.put(f"/collections/{NAME}/points?wait=true", {"points": points}).status == 200

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        assert self.failure is None, self.failure

    def more(self, searches: int) -> None:
        """Wait until so many more were answered."""
        enough = self.answered + searches
        eventually(lambda: self.answered >= enough or self.failure is not None)

    def _run(self) -> None:
        expected = set(range(COUNT))
        while self.failure is None and not self._stop.wait(PAUSE_SECONDS):
            try:
                with Http(self._port, timeout=TIMEOUT_SECONDS) as http:
                    hits = http.post(f"/collections/{NAME}/points/query", SEARCH).result["points"]
            except (OSError, HTTPException, AssertionError) as error:
                self.failure = f"after {self.answered} searches: {error!r}"
                return
            found = {hit["id"] for hit in hits}
            if found != expected or len(hits) != COUNT:
                self.failure = f"after {self.answered} searches: {len(hits)} hits, {len(expected - found)} missing"
            self.answered += 1

"""Foreign producers: each a process of its own, fed by a thread of this one, one in twenty messages malformed."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.crash.client_thread import ClientThread
from tests.crash.model import Id, Layout, Point
from tests.producers import target, traffic
from tests.producers.processes import LineProducer, ProducerError
from tests.support.topics import Place

FIRST_ID = 1_000_000_000
"""Far above the ids of those who write by REST."""
POINTS = 300
BURST = 20
MESSAGES = 600
"""Messages of a round, about."""
PAUSE_SECONDS = 0.05


class Feeder(ClientThread):
    """Sends random traffic for one collection through one producer; ``number`` tells feeders' ids apart.

    A round is about ``messages`` of them.
    """

    def __init__(
        self, producer: LineProducer, layout: Layout, seed: int, number: int, messages: int = MESSAGES
    ) -> None:
        super().__init__(f"feeder of {layout.name}")
        self.layout = layout
        self._producer = producer
        self._messages = messages
        vectors = layout.sizes.get("", layout.sizes)
        first = FIRST_ID * (number + 1)
        self._traffic = traffic.Traffic(
            target.Target(layout.name, vectors), seed=seed, first_id=first, points=POINTS, id_space=FIRST_ID
        )
        self._rng = random.Random(f"{seed}/feeder/{number}")
        self._rejected: list[int] = []
        self.sent = 0

    def start(self) -> None:
        """Begin to send."""
        self.begin(self._run)

    def flush(self) -> None:
        """Wait until everything is acknowledged. Raises ProducerError."""
        self._producer.flush()

    def _run(self) -> None:
        enough = self.sent + self._messages
        while self.sent < enough and not self._stop.wait(self._rng.random() * PAUSE_SECONDS):
            try:
                self.send(self._rng.randint(1, BURST))
            except ProducerError as error:
                self.failure = str(error)
                return

    def send(self, count: int) -> None:
        """Send so many messages. Raises ProducerError."""
        for sent in self._traffic.messages(count):
            number = self._producer.send(sent.message)
            self.sent += 1
            if sent.rejected:
                self._rejected.append(number)

    @property
    def expected(self) -> dict[Id, Point]:
        """What the points must be when everything is applied."""
        return {point_id: _as_read(point) for point_id, point in self._traffic.expected.items()}

    @property
    def rejected(self) -> set[Place]:
        """Where the messages are that can't be applied; all of them are acknowledged."""
        acks = self._producer.acks()
        return {(acks[number].partition, acks[number].offset) for number in self._rejected}


def _as_read(point: target.Point) -> Point:
    vectors: Mapping[str, Any] = point.vector if isinstance(point.vector, dict) else {"": point.vector}
    named = {name: tuple(np.array(values, np.float32).tolist()) for name, values in vectors.items()}
    return Point(named, point.payload)


def together(feeders: list[Feeder]) -> dict[str, dict[Id, Point]]:
    """What all feeders' points must be, by collection."""
    found: dict[str, dict[Id, Point]] = {}
    for feeder in feeders:
        found.setdefault(feeder.layout.name, {}).update(feeder.expected)
    return found

"""Traffic of foreign producers, endless and random: good messages of every form, and some that can't be applied.

    traffic = Traffic(Target("words", 4), seed=7, first_id=1_000_000)
    sent = list(traffic.messages(10_000))
    acks = producer.send_all(item.message for item in sent)
    # Once all is applied, the points of this traffic's ids must be exactly traffic.expected, and the rejected topic,
    # by origin, must hold exactly {ack for ack, item in zip(acks, sent) if item.rejected}.

One Traffic goes through one producer, in order: a point has one key for life (or is written once, without a key), so
its messages share a partition and keep their order. Producers that run at the same time need traffics whose ids are
apart: each uses ``first_id`` to ``first_id + id_space``, as numbers and as the UUIDs of these numbers.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from uuid import UUID

from schemas.records import CONTENT_TYPE_HEADER
from tests.producers.bodies import Change, as_json, connector_json, new_point, random_body
from tests.producers.malformed import random_malformed
from tests.producers.messages import Headers, Message
from tests.producers.target import JsonId, Point, Target

_CONTENT_TYPES: tuple[Headers, ...] = (
    (),
    ((CONTENT_TYPE_HEADER, b"application/json"),),
    ((CONTENT_TYPE_HEADER, b"application/json; charset=utf-8"), ("trace", b"\x00\xff")),
)
GROUP = 8
"""How many points share a key, and so may be written by one message."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message, and what must become of it: rejected, or these changes. ``kind`` says what it is, for a person."""

    message: Message
    kind: str
    rejected: bool
    changes: tuple[Change, ...] = ()


class Traffic:
    """A source of messages; the same for the same arguments."""

    def __init__(
        self,
        target: Target,
        *,
        seed: int,
        first_id: int = 0,
        points: int = 1000,
        id_space: int = 1 << 32,
        bad_share: float = 0.05,
    ) -> None:
        """``points`` is how many are written again and again; ``bad_share`` how many messages can't be applied."""
        self.expected: dict[JsonId, Point] = {}
        """What the points must be once everything handed out so far is applied."""
        self._target = target
        self._rng = Random(f"{seed} {first_id}")
        self._first_id = first_id
        self._points = points
        self._once = first_id + points
        self._end = first_id + id_space
        self._bad_share = bad_share
        self._forms = (self._keyed_by_id, self._keyed_by_json, self._keyed_by_group, self._without_key)

    def owns(self, point_id: JsonId) -> bool:
        """Whether a point of this id is one of this traffic's."""
        number = point_id if isinstance(point_id, int) else UUID(point_id).int
        return self._first_id <= number < self._end

    def messages(self, count: int) -> Iterator[Sent]:
        """The next ``count`` messages."""
        for _ in range(count):
            yield self._next()

    def _next(self) -> Sent:
        if self._rng.random() < self._bad_share:
            kind, message = random_malformed(self._rng, self._target)
            return Sent(message, kind, rejected=True)
        sent = self._rng.choice(self._forms)()
        for point_id, point in sent.changes:
            if point is None:
                self.expected.pop(point_id, None)
            else:
                self.expected[point_id] = point
        return sent

    def _keyed_by_id(self) -> Sent:
        """Change data capture: the key is the id; a header names the collection of a tombstone."""
        point_id = self._id(3 * self._rng.randrange(self._points // 3))
        return self._row(str(point_id).encode(), point_id, (("collection_name", self._target.collection.encode()),))

    def _keyed_by_json(self) -> Sent:
        """Change data capture whose keys name the collection."""
        point_id = self._id(3 * self._rng.randrange(self._points // 3) + 1)
        key = json.dumps({"collection_name": self._target.collection, "id": point_id}).encode()
        return self._row(key, point_id, ())

    def _row(self, key: bytes, point_id: JsonId, names: Headers) -> Sent:
        if self._rng.random() < 0.2:
            return Sent(Message(key, None, names), "tombstone", rejected=False, changes=((point_id, None),))
        point = new_point(self._rng, self._target)
        body = connector_json(self._target, point_id, point)
        return Sent(self._json(key, body), "connector", rejected=False, changes=((point_id, point),))

    def _keyed_by_group(self) -> Sent:
        """Bodies of the REST API: the points that one body may name share their key."""
        groups = max(1, self._points // 3 // GROUP)
        group = self._rng.randrange(groups)
        ids = [self._id(3 * (group * GROUP + i) + 2) for i in range(GROUP)]
        written = random_body(self._rng, self._target, ids, self.expected)
        message = self._json(f"{self._target.collection}/{self._first_id}/{group}".encode(), written.body)
        return Sent(message, written.kind, rejected=False, changes=written.changes)

    def _without_key(self) -> Sent:
        """A point that is written once: it may go to any partition."""
        point_id = self._id(self._once - self._first_id)
        self._once += 1
        point = new_point(self._rng, self._target)
        message = self._json(None, connector_json(self._target, point_id, point))
        return Sent(message, "connector, no key", rejected=False, changes=((point_id, point),))

    def _id(self, position: int) -> JsonId:
        number = self._first_id + position
        return str(UUID(int=number)) if position // 3 % 2 else number

    def _json(self, key: bytes | None, body: object) -> Message:
        return Message(key, as_json(self._rng, body), self._rng.choice(_CONTENT_TYPES))

"""Messages that can't be applied, of every kind: each must end on the rejected topic, and change nothing."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from schemas.operations import Upsert
from schemas.records import CANONICAL_CONTENT_TYPE, CONTENT_TYPE_HEADER, PointsRecord, encode_record
from tests.producers.messages import Headers, Message
from tests.producers.target import Target

Make = Callable[[Random, Target], Message]
_JSON = ((CONTENT_TYPE_HEADER, b"application/json"),)
_CANONICAL = ((CONTENT_TYPE_HEADER, CANONICAL_CONTENT_TYPE),)
BAD_IDS = (-1, 1 << 64, 1.5, "seven", "", None, True, [1], {"num": 1})


def random_malformed(rng: Random, target: Target) -> tuple[str, Message]:
    """One of MALFORMED, by its name."""
    kind = rng.choice(sorted(MALFORMED))
    return kind, MALFORMED[kind](rng, target)


def _point(rng: Random, target: Target, **changes: Any) -> dict[str, Any]:
    """The connector's JSON of a point, with some fields changed."""
    fields = {"collection_name": target.collection, "id": rng.randrange(1 << 20), "vector": target.random_vector(rng)}
    return fields | {"payload": {"bad": True}} | changes


def _message(rng: Random, value: bytes | None, headers: Headers = ()) -> Message:
    return Message(rng.choice((None, b"some key")), value, headers)


def _json(rng: Random, body: object) -> Message:
    return _message(rng, json.dumps(body).encode(), rng.choice(((), _JSON)))


def _text(value: bytes, headers: Headers = ()) -> Make:
    return lambda rng, _: _message(rng, value, headers)


def _changed(**changes: Any) -> Make:
    return lambda rng, target: _json(rng, _point(rng, target, **changes))


def _without(name: str) -> Make:
    def make(rng: Random, target: Target) -> Message:
        fields = _point(rng, target)
        del fields[name]
        return _json(rng, fields)

    return make


def _replaced(old: bytes, new: bytes) -> Make:
    """A good message with some of its text replaced."""

    def make(rng: Random, target: Target) -> Message:
        text = json.dumps(_point(rng, target, payload={"bad": "HERE"})).encode()
        return _message(rng, text.replace(old, new, 1))

    return make


def _bad_id(rng: Random, target: Target) -> Message:
    return _json(rng, _point(rng, target, id=rng.choice(BAD_IDS)))


def _unknown(rng: Random, target: Target) -> Message:
    return _json(rng, _point(rng, target, collection_name=f"no-{target.collection}-{rng.randrange(3)}"))


def _wrong_dimension(rng: Random, target: Target) -> Message:
    return _json(rng, _point(rng, target, vector=target.wrong_vector(rng)))


def _one_of_several(rng: Random, target: Target) -> Message:
    """A REST body of which one point is bad: nothing of it may be applied."""
    points = [{"id": rng.randrange(1 << 20), "vector": target.random_vector(rng)} for _ in range(3)]
    points[rng.randrange(3)]["vector"] = target.wrong_vector(rng)
    return _json(rng, {"collection_name": target.collection, "points": points})


def _not_a_number(rng: Random, target: Target) -> Message:
    vector = target.random_vector(rng)
    values = vector if isinstance(vector, list) else next(iter(vector.values()))
    values[-1] = rng.choice((float("nan"), float("inf"), 1e39))
    return _json(rng, _point(rng, target, vector=vector))


def _deep(rng: Random, target: Target) -> Message:
    levels = rng.choice((65, 200, 100_000))
    fields = _point(rng, target, payload="HERE")
    nested = b'{"a":' * levels + b"1" + b"}" * levels
    return _message(rng, json.dumps(fields).encode().replace(b'"HERE"', nested))


def _truncated_json(rng: Random, target: Target) -> Message:
    text = json.dumps(_point(rng, target)).encode()
    return _message(rng, text[: rng.randrange(1, len(text))])


def _truncated_record(rng: Random, _: Target) -> Message:
    record = encode_record(PointsRecord(uid=1, shard=0, ops=[Upsert([1, 2, 3], {})]))
    return _message(rng, record[: rng.randrange(1, len(record))], rng.choice(((), _CANONICAL)))


def _json_called_canonical(rng: Random, target: Target) -> Message:
    return _message(rng, json.dumps(_point(rng, target)).encode(), _CANONICAL)


def _tombstone(key: bytes | None) -> Make:
    """``key`` None stands for none with an empty value: that is the closest that every client can send."""

    def make(_: Random, target: Target) -> Message:
        value = b"" if key is None else None
        return Message(key, value, (("collection_name", target.collection.encode()),))

    return make


MALFORMED: dict[str, Make] = {
    "not JSON": _text(b"hello, world"),
    "not JSON, called so": _text(b"hello, world", _JSON),
    "a JSON array": _text(b"[1, 2, 3]"),
    "a JSON number": _text(b"17", _JSON),
    "a JSON string": _text(b'"text"', _JSON),
    "null": _text(b"null", _JSON),
    "an empty object": _text(b"{}"),
    "two objects": _text(b"{}{}"),
    "white space": _text(b" \n "),
    "empty value without key": _tombstone(None),
    "tombstone of no id": _tombstone(b"not-an-id"),
    "tombstone of no collection": lambda rng, _: Message(b"%d" % rng.randrange(1000), None),
    "tombstone of a bad key": _tombstone(b'{"id": -1}'),
    "tombstone of an unknown collection": lambda _, target: Message(
        b"7", None, (("collection_name", f"no-{target.collection}".encode()),)
    ),
    "no collection": _without("collection_name"),
    "collection is no text": _changed(collection_name=7),
    "unknown collection": _unknown,
    "no id": _without("id"),
    "bad id": _bad_id,
    "no vector": _without("vector"),
    "vector is text": _changed(vector="text"),
    "vector of texts": _changed(vector=["a", "b"]),
    "unknown vector name": _changed(vector={"no such name": [1.0]}),
    "sparse vector": _changed(vector={"indices": [1, 5], "values": [0.5, 0.25]}),
    "wrong dimension": _wrong_dimension,
    "one point of several": _one_of_several,
    "NaN and beyond": _not_a_number,
    "payload is an array": _changed(payload=[1]),
    "deep nesting": _deep,
    "unknown operation": _changed(operation="explode"),
    "both forms at once": _changed(points=[]),
    "not UTF-8": _replaced(b"HERE", b"\xff\xfe"),
    "half a surrogate pair": _replaced(b"HERE", b"\\ud800"),
    "a control character": _replaced(b"HERE", b"\n"),
    "truncated JSON": _truncated_json,
    "truncated record": _truncated_record,
    "other MessagePack": _text(b"\x93\x01\x02\x03", _CANONICAL),
    "JSON, called canonical": _json_called_canonical,
}
"""Every kind, by a name for messages of tests."""

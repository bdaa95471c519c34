"""What is written into a release's data folder, and what is asked of it."""

from collections.abc import Iterator
from typing import Any

Request = tuple[str, str, Any]
"""Method, path, body."""

WORDS = 700
TEXTS = ["The Quick fox", "naïve Straße", "ΑΘΗΝΑ und Köln", "東京 tower 42", "quick quick"]


def vector(number: int, size: int) -> list[float]:
    """A vector that differs from number to number."""
    return [((number * 7919 + position * 104729) % 97 - 48) / 8 for position in range(size)]


def payload(number: int) -> dict[str, Any]:
    """A payload with values of every type."""
    return {
        "n": number,
        "big": 2**53 + number,
        "ratio": number / 3,
        "even": number % 2 == 0,
        "none": None,
        "tags": [f"t{number % 5}", "all"],
        "text": TEXTS[number % len(TEXTS)],
        "at": f"2024-02-{number % 28 + 1:02d}T10:00:00Z",
        "place": {"lon": 13.0 + number % 10, "lat": 52.0},
        "parts": [{"kind": "a", "size": number % 7}, {"kind": "b", "size": 1}],
        "key.with dots": {"é": "ü"},
    }


def uuid(number: int) -> str:
    """A point id that is a UUID."""
    return f"550e8400-e29b-41d4-a716-{number:012d}"


def creation() -> Iterator[Request]:
    """Collections and aliases, and the points that go into segments."""
    optimizers = {"indexing_threshold": 1, "flush_interval_sec": 1}
    words = {"vectors": {"size": 8, "distance": "Cosine"}, "shard_number": 2, "optimizers_config": optimizers}
    yield "PUT", "/collections/words", words
    named = {"image": {"size": 4, "distance": "Euclid"}, "text": {"size": 3, "distance": "Dot"}}
    things = {"vectors": named, "optimizers_config": {"flush_interval_sec": 1}, "metadata": {"owner": "tests"}}
    yield "PUT", "/collections/things", things
    yield "PUT", "/collections/blocks", {"vectors": {"size": 2, "distance": "Manhattan"}}
    yield "PUT", "/collections/gone", {"vectors": {"size": 2, "distance": "Dot"}}
    points = [{"id": n, "vector": vector(n, 8), "payload": {"n": n, "word": f"w{n}"}} for n in range(WORDS)]
    yield "PUT", "/collections/words/points?wait=true", {"points": points}
    yield "PUT", "/collections/things/points?wait=true", {"points": [_thing(n) for n in range(40)]}
    yield "PUT", "/collections/blocks/points?wait=true", {"points": [{"id": 1, "vector": [1, 2]}]}
    yield "PUT", "/collections/gone/points?wait=true", {"points": [{"id": 1, "vector": [1, 2]}]}
    yield "POST", "/collections/aliases", {"actions": [_alias("now", "words"), _alias("old", "gone")]}


def _thing(number: int) -> dict[str, Any]:
    vectors = {"image": vector(number, 4), "text": vector(number + 1, 3)}
    if number % 3:
        del vectors["image" if number % 3 == 1 else "text"]
    return {"id": uuid(number) if number % 2 else number, "vector": vectors, "payload": payload(number)}


def _alias(alias: str, collection: str) -> dict[str, Any]:
    return {"create_alias": {"alias_name": alias, "collection_name": collection}}


def _matches(key: str, value: Any) -> dict[str, Any]:
    return {"must": [{"key": key, "match": value}]}


def changes() -> Iterator[Request]:
    """Operations of every kind, with text matches among the filters."""
    things = "/collections/things/points"
    yield "POST", f"{things}/payload?wait=true", {"payload": {"fox": True}, "filter": _matches("text", {"text": "FOX"})}
    city = {"payload": {"kind": "c"}, "key": "city", "filter": _matches("text", {"text_any": "köln tokyo"})}
    yield "POST", f"{things}/payload?wait=true", city
    yield "PUT", f"{things}/payload?wait=true", {"payload": {"only": 1}, "points": [4, uuid(5)]}
    yield "POST", f"{things}/payload/delete?wait=true", {"keys": ["big", "parts[].size"], "points": [6]}
    yield "POST", f"{things}/payload/clear?wait=true", {"points": [8]}
    yield "POST", f"{things}/delete?wait=true", {"filter": _matches("text", {"phrase": "quick quick"})}
    yield "POST", f"{things}/delete?wait=true", {"points": [10, uuid(11)]}
    update = {"points": [{"id": 0, "vector": {"image": vector(99, 4)}}]}
    yield "PUT", f"{things}/vectors?wait=true", update
    yield "POST", f"{things}/vectors/delete?wait=true", {"points": [12], "vector": ["text"]}
    batch = {"operations": [{"upsert": {"points": [_thing(50), _thing(51)]}}, {"delete": {"points": [50]}}]}
    yield "POST", f"{things}/batch?wait=true", batch
    dead = {"must": [{"key": "n", "range": {"lt": 20}}]}
    yield "POST", "/collections/words/points/delete?wait=true", {"filter": dead}
    again = [{"id": n, "vector": vector(n + 5, 8), "payload": {"n": n, "again": True}} for n in range(30, 40)]
    yield "PUT", "/collections/words/points?wait=true", {"points": again}


def afterwards() -> Iterator[Request]:
    """What comes after the snapshot."""
    yield "DELETE", "/collections/gone", None
    yield "POST", "/collections/aliases", {"actions": [_alias("later", "things")]}
    yield "PUT", "/collections/late", {"vectors": {"size": 2, "distance": "Dot"}, "shard_number": 2}
    points = [{"id": n, "vector": vector(n, 2), "payload": payload(n)} for n in range(5)]
    yield "PUT", "/collections/late/points?wait=true", {"points": points}
    some = [{"id": n, "vector": vector(n, 8), "payload": {"n": n}} for n in range(WORDS, WORDS + 10)]
    yield "PUT", "/collections/words/points?wait=true", {"points": some}


def more() -> Iterator[Request]:
    """What a later release writes on top of it."""
    yield "PUT", "/collections/late/points?wait=true", {"points": [{"id": 100, "vector": [1, 1], "payload": {"n": 7}}]}
    yield "POST", "/collections/later/points/delete?wait=true", {"filter": _matches("text", {"text": "TOWER"})}


def foreign() -> Iterator[tuple[int, bytes | None, bytes | None]]:
    """(partition, key, value) of records of other producers; the last is rejected."""
    point = b'{"collection_name": "late", "id": %d, "vector": [%d, 1], "payload": {"from": "elsewhere"}}'
    for number in range(20, 26):
        for partition in range(2):
            yield partition, None, point % (number, number)
    for partition in range(2):
        yield partition, b'{"collection_name": "late", "id": 20}', None
    yield 0, b"20", b"not JSON at all"


def questions() -> Iterator[Request]:
    """Requests of reading whose answers don't depend on graphs."""
    yield "GET", "/collections", None
    yield "GET", "/aliases", None
    everything = {"limit": 1000, "with_payload": True, "with_vector": True}
    for name in ("words", "things", "blocks", "late", "now"):
        yield "POST", f"/collections/{name}/points/scroll", everything
        yield "POST", f"/collections/{name}/points/count", {"exact": True}
    exact = {"params": {"exact": True}, "limit": 10, "with_payload": True}
    yield "POST", "/collections/words/points/search", {"vector": vector(33, 8), **exact}
    image = {"vector": {"name": "image", "vector": vector(3, 4)}, **exact}
    yield "POST", "/collections/things/points/search", image
    for match in ({"text": "STRASSE"}, {"text": "straße"}, {"text": "αθηνα"}, {"phrase": "Quick fox"}):
        yield "POST", "/collections/things/points/scroll", {"filter": _matches("text", match), "limit": 100}
    radius = {"key": "place", "geo_radius": {"center": {"lon": 13.0, "lat": 52.0}, "radius": 200000.0}}
    dates = {"key": "at", "range": {"gte": "2024-02-10T00:00:00Z"}}
    nested = {"nested": {"key": "parts", "filter": {"must": [{"key": "size", "range": {"gt": 3}}]}}}
    for condition in (radius, dates, nested, {"is_empty": {"key": "big"}}, {"has_vector": "text"}):
        yield "POST", "/collections/things/points/scroll", {"filter": {"must": [condition]}, "limit": 100}

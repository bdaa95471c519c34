"""Points with twelve payload keys of all types, for measuring what columns of them answer."""

import random
from typing import Any

from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.payload_index import SIMPLE, PayloadIndex

DIM = 4
TYPES = {
    "tenant": "keyword",
    "color": "keyword",
    "tags": "keyword",
    "rank": "integer",
    "share": "integer",
    "price": "float",
    "active": "bool",
    "place": "geo",
    "at": "datetime",
    "uid": "uuid",
    "title": "text",
    "note": "keyword",
}
"""The key's declared type. Most points have no ``note``."""
CONFIG = CollectionConfig(
    vectors={"": VectorParams(DIM, Distance.DOT)},
    payload_indexes={key: PayloadIndex(SIMPLE[kind], simple=True) for key, kind in TYPES.items()},
)
TENANTS = 20_000
"""Each has ten of 200,000 points."""
_WORDS = [
    f"{a}{b}" for a in ("al", "be", "ga", "de", "ep", "ze", "et", "th") for b in ("pha", "ta", "mma", "lta", "ma")
]


def payloads(count: int) -> list[dict[str, Any]]:
    """The payloads of the points 0, 1, 2, ..., the same every time."""
    chance = random.Random(7)
    return [_payload(i, chance) for i in range(count)]


def _payload(number: int, chance: random.Random) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "tenant": f"tenant-{number * 7919 % TENANTS}",
        "color": f"color-{chance.randrange(10)}",
        "tags": [f"tag-{chance.randrange(500)}" for _ in range(3)],
        "rank": number,
        "share": number * 7919 % 1000,
        "price": chance.random() * 1000,
        "active": chance.random() < 0.5,
        "place": {"lon": chance.uniform(-180, 180), "lat": chance.uniform(-85, 85)},
        "at": f"20{chance.randrange(10, 26)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}T12:00:00Z",
        "uid": f"{chance.getrandbits(128):032x}",
        "title": " ".join(chance.choices(_WORDS, k=6)) + f" {number % 5000}",
    }
    if number % 50 == 0:
        payload["note"] = "x"
    return payload

"""What traffic is made for: a collection, and points as its producers think of them."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

JsonId = int | str
Vector = list[float] | dict[str, list[float]]
"""An unnamed vector, or named ones."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point as readers should find it."""

    vector: Vector
    payload: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Target:
    """A collection: its name, and the size of its unnamed vector, or the sizes of its named ones."""

    collection: str
    vectors: int | dict[str, int]

    def random_vector(self, rng: Random) -> Vector:
        """A vector whose values JSON and float32 both hold exactly; not zero, so that it has a direction."""
        if isinstance(self.vectors, int):
            return _values(rng, self.vectors)
        return {name: _values(rng, size) for name, size in self.vectors.items()}

    def wrong_vector(self, rng: Random) -> Vector:
        """A vector with one value too many."""
        if isinstance(self.vectors, int):
            return _values(rng, self.vectors + 1)
        return {name: _values(rng, size + 1) for name, size in self.vectors.items()}


def _values(rng: Random, size: int) -> list[float]:
    return [1.0 + rng.randrange(8) / 8, *(rng.randrange(-64, 65) / 64 for _ in range(size - 1))]


def random_payload(rng: Random) -> dict[str, Any]:
    """A small payload of every JSON type, with text that is not ASCII."""
    return {
        "n": rng.randrange(1000),
        "word": rng.choice(("water", "Wasser", "agua", "水", "tab\tnewline\n", '"quoted"', "\u2028", "🌊")),
        "tags": [rng.choice("abc") for _ in range(rng.randrange(3))],
        "inner": {"x": rng.random(), "yes": rng.random() < 0.5, "none": None},
    }

"""Queries answered by their definitions, one point after another, in plain Python."""

from collections.abc import Callable, Mapping, Sequence
from math import log, sqrt
from typing import Any

from tests.queries.world import SPARSE, VECTORS

Score = Callable[[Any], float]


class Reference:
    """The points that have a vector of one name."""

    def __init__(self, name: str, points: Mapping[Any, Any]) -> None:
        self._name = name
        self._points = points
        self._distance = "Dot" if name in SPARSE else VECTORS[name]["distance"]
        self._multi = "multivector_config" in VECTORS.get(name, {})

    def _one(self, left: Sequence[float], right: Sequence[float]) -> float:
        """Larger is nearer; for Euclid minus the squared distance."""
        if self._distance == "Euclid":
            return -sum((a - b) ** 2 for a, b in zip(left, right, strict=True))
        if self._distance == "Manhattan":
            return -sum(abs(a - b) for a, b in zip(left, right, strict=True))
        product = sum(a * b for a, b in zip(left, right, strict=True))
        if self._distance == "Cosine":
            product /= sqrt(sum(a * a for a in left)) * sqrt(sum(b * b for b in right))
        return product

    def near(self, query: Any, vector: Any) -> float:
        """How near a vector is to a query."""
        if self._name in SPARSE:
            there = dict(zip(vector["indices"], vector["values"], strict=True))
            pairs = zip(query["indices"], query["values"], strict=True)
            return sum(value * there.get(index, 0.0) * self._weight(index) for index, value in pairs)
        if self._multi:
            return sum(max(self._one(left, right) for right in vector) for left in query)
        return self._one(query, vector)

    def _weight(self, index: int) -> float:
        if self._name != "idf":
            return 1.0
        having = sum(index in vector["indices"] for vector in self._points.values())
        return log(1 + (len(self._points) - having + 0.5) / (having + 0.5))

    def nearest(self, query: Any) -> dict[Any, float]:
        """Scores, as they are answered."""
        scores = {point: self.near(query, vector) for point, vector in self._points.items()}
        if self._name in SPARSE:
            common = {p for p, vector in self._points.items() if set(vector["indices"]) & set(query["indices"])}
            return {point: score for point, score in scores.items() if point in common}
        if self._distance == "Euclid":
            return {point: sqrt(max(0.0, -score)) for point, score in scores.items()}
        return {point: -score if self._distance == "Manhattan" else score for point, score in scores.items()}

    def best_score(self, positive: Sequence[Any], negative: Sequence[Any]) -> dict[Any, float]:
        """By the nearest example."""

        def score(vector: Any) -> float:
            good = max((self.near(each, vector) for each in positive), default=float("-inf"))
            bad = max((self.near(each, vector) for each in negative), default=float("-inf"))
            return sigmoid(good) if good > bad else -sigmoid(bad)

        return self._each(score)

    def sum_scores(self, positive: Sequence[Any], negative: Sequence[Any]) -> dict[Any, float]:
        """By all examples."""
        return self._each(
            lambda vector: sum(self.near(e, vector) for e in positive) - sum(self.near(e, vector) for e in negative)
        )

    def discover(self, target: Any, pairs: Sequence[tuple[Any, Any]]) -> dict[Any, float]:
        """By sides of pairs, then by the target."""

        def score(vector: Any) -> float:
            sides = [self.near(good, vector) - self.near(bad, vector) for good, bad in pairs]
            return sum((side > 0) - (side < 0) for side in sides) + sigmoid(self.near(target, vector))

        return self._each(score)

    def context(self, pairs: Sequence[tuple[Any, Any]]) -> dict[Any, float]:
        """By how far on the wrong sides."""

        def score(vector: Any) -> float:
            missing = [min(0.0, self.near(good, vector) - self.near(bad, vector)) for good, bad in pairs]
            return sum(value / (1 + abs(value)) for value in missing)

        return self._each(score)

    def diverse(self, query: Any, candidates: Sequence[Any], diversity: float, limit: int) -> list[Any]:
        """The greedy choice by maximal marginal relevance. Points are compared without weights of terms."""
        plain = Reference("sparse", self._points) if self._name in SPARSE else self
        chosen: list[Any] = []
        while len(chosen) < min(limit, len(candidates)):

            def value(point: Any) -> float:
                alike = [plain.near(self._points[point], self._points[other]) for other in chosen]
                worst = max(alike, default=0.0)
                return (1 - diversity) * self.near(query, self._points[point]) - diversity * worst

            chosen.append(max((point for point in candidates if point not in chosen), key=value))
        return chosen

    def _each(self, score: Score) -> dict[Any, float]:
        return {point: score(vector) for point, vector in self._points.items()}


def sigmoid(value: float) -> float:
    """Qdrant's stand-in for the logistic function."""
    return 0.5 * (value / (1 + abs(value)) + 1)

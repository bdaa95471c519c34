"""Points with vectors of every kind, and queries of every kind over them, as JSON."""

from collections.abc import Iterator
from typing import Any
from zlib import crc32

import numpy as np

from tests.support.seeds import BASE_SEED

COUNT, SIZE, TERMS = 48, 4, 12
_MULTI = {"multivector_config": {"comparator": "max_sim"}}
VECTORS: dict[str, dict[str, Any]] = {
    "cosine": {"size": SIZE, "distance": "Cosine"},
    "dot": {"size": SIZE, "distance": "Dot"},
    "euclid": {"size": SIZE, "distance": "Euclid"},
    "manhattan": {"size": SIZE, "distance": "Manhattan"},
    "byte": {"size": SIZE, "distance": "Dot", "datatype": "uint8"},
    "half": {"size": SIZE, "distance": "Euclid", "datatype": "float16"},
    "multi_cosine": {"size": SIZE, "distance": "Cosine", **_MULTI},
    "multi_dot": {"size": SIZE, "distance": "Dot", **_MULTI},
    "multi_euclid": {"size": SIZE, "distance": "Euclid", **_MULTI},
}
SPARSE: dict[str, dict[str, Any]] = {"sparse": {}, "idf": {"modifier": "idf"}}
NAMES = (*VECTORS, *SPARSE)
CONFIG: dict[str, Any] = {"vectors": VECTORS, "sparse_vectors": SPARSE}
INDEXES = {"n": "integer", "score": "float", "when": "datetime"}
"""What points can be ordered by."""
GROUPS = ("red", "green", "blue")

FILTERS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"must": [{"key": "group", "match": {"value": "red"}}]},
    {"must": [{"key": "n", "range": {"gte": 10, "lt": 40}}], "must_not": [{"has_id": [12, 13, 14]}]},
)


class Vectors:
    """Makes vectors, for every purpose its own."""

    def __init__(self, purpose: str) -> None:
        self._random = np.random.default_rng((BASE_SEED, crc32(purpose.encode())))

    def of(self, name: str) -> Any:
        """A vector of the kind of a name."""
        random = self._random
        if name in SPARSE:
            indices = sorted(random.choice(TERMS, int(random.integers(1, 6)), replace=False).tolist())
            return {"indices": indices, "values": np.round(random.normal(size=len(indices)), 3).tolist()}
        if name == "byte":
            return random.integers(0, 20, SIZE).tolist()
        if name == "half":
            # What 16 bits hold exactly: local mode keeps 32.
            return (random.integers(-16, 17, SIZE) / 4).tolist()
        if name.startswith("multi"):
            # With a fraction in each row: Qdrant's client takes rows of whole numbers for a sparse vector.
            return (np.round(random.normal(size=(int(random.integers(1, 4)), SIZE)), 3) + 0.0005).tolist()
        return np.round(random.normal(size=SIZE), 3).tolist()


def point(number: int) -> dict[str, Any]:
    """A point; some lack some of the names."""
    vectors = Vectors(f"point {number}")
    names = [name for at, name in enumerate(NAMES) if (number + at) % 13]
    payload: dict[str, Any] = {"n": number, "group": GROUPS[number % 3], "score": number / 7}
    if number % 11:
        tags = [*GROUPS[: number % 4], number % 5]
        payload |= {"tags": tags, "when": f"2024-05-{1 + number % 28:02}T00:{number:02}:00Z"}
    return {"id": number, "vector": {name: vectors.of(name) for name in names}, "payload": payload}


POINTS = [point(number) for number in range(1, COUNT + 1)]


def having(name: str) -> list[int]:
    """The points that have a vector of this name."""
    return [each["id"] for each in POINTS if name in each["vector"]]


def leaves(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A query of every kind that compares vectors of one name."""
    ids = having(name)
    vectors = Vectors(f"examples {name}")
    first, second, third, fourth = (vectors.of(name) for _ in range(4))
    pairs = [{"positive": first, "negative": second}, {"positive": ids[5], "negative": third}]
    both = {"positive": [first, ids[3]], "negative": [second]}
    yield "nearest", {"query": {"nearest": first}}
    yield "nearest by id", {"query": ids[7]}
    # Local mode does not cut a mean to what uint8 holds; the server, as recorded, does.
    if name != "byte":
        yield "average", {"query": {"recommend": {**both, "strategy": "average_vector"}}}
    yield "best_score", {"query": {"recommend": {**both, "strategy": "best_score"}}}
    yield "sum_scores", {"query": {"recommend": {**both, "strategy": "sum_scores"}}}
    yield "discover", {"query": {"discover": {"target": fourth, "context": pairs}}}
    yield "context", {"query": {"context": pairs}}
    # Of vectors of other kinds local mode knows no feedback.
    if name in VECTORS and not name.startswith("multi"):
        judged = [(second, 0.9), (ids[4], 0.1), (third, 0.4)]
        examples = [{"example": example, "score": score} for example, score in judged]
        feedback = {"target": first, "feedback": examples, "strategy": {"naive": {"a": 0.3, "b": 0.5, "c": 0.2}}}
        yield "feedback", {"query": {"relevance_feedback": feedback}}
    # Local mode weighs points by idf among one another, too; the server, as recorded, doesn't.
    if name != "idf":
        yield "mmr", {"query": {"nearest": first, "mmr": {"diversity": 0.3, "candidates_limit": 20}}}


EXACT = {"exact": True}


def queries(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Queries of every kind with vectors of one name, with every filter, over prefetches of every shape.

    Prefetches find all that there is: else which of equally good points are among the last would show.
    """
    vectors = Vectors(f"queries {name}")
    for kind, leaf in leaves(name):
        for at, condition in enumerate(FILTERS):
            whole = {**leaf, "using": name, "limit": 7, "params": EXACT}
            if condition is not None:
                whole["filter"] = condition
            yield f"{kind}, filter {at}", whole
            first = whole if kind == "mmr" else {**whole, "limit": COUNT}
            other = {"query": vectors.of("dot"), "using": "dot", "limit": 9, "params": EXACT}
            scored = {"query": vectors.of("cosine"), "using": "cosine", "limit": 6, "params": EXACT}
            yield f"{kind}, filter {at}, prefetched", {**scored, "prefetch": [first]}
            if kind != "mmr":
                yield f"{kind}, filter {at}, rescoring", {**whole, "prefetch": [other]}
            nested = {**scored, "prefetch": [first]}
            fused = {"prefetch": [first, {**other, "filter": FILTERS[1]}], "limit": 10}
            yield f"{kind}, filter {at}, rrf", {**fused, "query": {"fusion": "rrf"}}
            yield f"{kind}, filter {at}, dbsf", {**fused, "query": {"fusion": "dbsf"}}
            yield f"{kind}, filter {at}, nested", {"prefetch": [nested, other], "query": {"fusion": "rrf"}, "limit": 8}
            formula = {"sum": ["$score", {"mult": [0.5, "n"]}, {"key": "group", "match": {"value": "red"}}]}
            yield f"{kind}, filter {at}, formula", {"prefetch": first, "query": {"formula": formula}, "limit": 8}


def orders() -> Iterator[tuple[str, dict[str, Any]]]:
    """Queries of which the order is the answer: no two points have the same value."""
    for key in INDEXES:
        for at, condition in enumerate(FILTERS):
            for direction in ("asc", "desc"):
                order = {"order_by": {"key": key, "direction": direction}}
                body = {"query": order, "limit": 9, **({"filter": condition} if condition else {})}
                yield f"{key} {direction}, filter {at}", body
                yield f"{key} {direction}, filter {at}, offset", {**body, "offset": 4}
    yield "n from 20", {"query": {"order_by": {"key": "n", "start_from": 20.5}}, "limit": 9}
    start = {"key": "when", "direction": "desc", "start_from": "2024-05-10T00:00:00Z"}
    yield "when from a day", {"query": {"order_by": start}, "limit": 9}


def unscored() -> Iterator[tuple[str, dict[str, Any]]]:
    """Queries over what is found in an order, or at random, all that there is."""
    scored = {"query": Vectors("unscored").of("dot"), "using": "dot", "limit": 9, "params": EXACT}
    for at, condition in enumerate(FILTERS):
        filtered = {"filter": condition} if condition else {}
        sample = {"query": {"sample": "random"}, "limit": COUNT, **filtered}
        yield f"sample, filter {at}", sample
        yield f"sample, filter {at}, rescored", {**scored, "prefetch": sample}
        order = {"query": {"order_by": "n"}, "limit": 12, **filtered}
        yield f"ordered, filter {at}, rescored", {**scored, "prefetch": order}
        yield f"ordered, filter {at}, rrf", {"prefetch": [order, scored], "query": {"fusion": "rrf"}, "limit": 9}


def grouped(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Queries of every kind with vectors of one name, whose points are put into groups."""
    other = {"query": Vectors(f"grouped {name}").of("dot"), "using": "dot", "limit": COUNT, "params": EXACT}
    for kind, leaf in leaves(name):
        if kind == "mmr":
            continue
        for at, (key, limit, size) in enumerate((("group", 3, 2), ("tags", 4, 3), ("n", 5, 1), ("missing", 2, 2))):
            body = {**leaf, "using": name, "params": EXACT, "group_by": key, "limit": limit, "group_size": size}
            condition = FILTERS[at % len(FILTERS)]
            if condition:
                body["filter"] = condition
            yield f"{kind} by {key}", body
            yield f"{kind} by {key}, rescoring", {**body, "prefetch": other}


def fuses_ranks(query: dict[str, Any]) -> bool:
    """Whether it matters which of equally good points a prefetch has first."""
    return query.get("query") == {"fusion": "rrf"}

"""Dense and sparse vectors in one collection: nearest, filtered, recommend, fusion, groups."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as edge

from bench.queries.data import clustered, documents, pairs_bytes
from bench.queries.engines import Ours, Stored, peer, request
from bench.queries.measure import QUERIES, Case
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.rest.groups import QueryGroupsRequest
from schemas.vectors.params import Modifier, SparseVectorParams

DIM = 100
USUAL_TERMS, QUERY_TERMS = 60, 6
SEED = 5
EF = 128
PREFETCHED = 50
GROUPS, GROUP_SIZE = 10, 3
VALUES = 100
"""What points are grouped and filtered by has so many values; each percent of them passes one percent."""
WORDS = {"d": "dense", "s": "sparse", "t": "sparse, idf"}


class _Data:
    """What is stored, and what is asked: the vectors "d" are dense, "s" sparse, "t" the same, with idf."""

    def __init__(self, dense: int, sparse: int) -> None:
        random = np.random.default_rng(SEED)
        vectors = clustered(dense + QUERIES, DIM, random)
        self._vectors = vectors[QUERIES:]
        self._texts = documents(sparse, USUAL_TERMS, random)
        short = documents(QUERIES, QUERY_TERMS, random)
        self._groups: list[int] = random.integers(0, VALUES, sparse).tolist()
        self.dense: list[list[Any]] = vectors[:QUERIES].tolist()
        self.sparse: list[tuple[list[int], list[float]]] = [
            (terms.tolist(), values.tolist()) for terms, values in short
        ]

    def stored(self) -> Iterator[Stored]:
        """The points as ours has them."""
        for number, text in enumerate(self._texts):
            pairs = pairs_bytes(text)
            first = [(0, self._vectors[number].tobytes())] if number < len(self._vectors) else []
            yield number, [*first, (1, pairs), (2, pairs)], b'{"group":%d}' % self._groups[number]

    def points(self) -> Iterator[Any]:
        """The points as the peer has them."""
        for number, (terms, values) in enumerate(self._texts):
            pairs = edge.SparseVector(terms.tolist(), values.tolist())
            first = {"d": self._vectors[number].tolist()} if number < len(self._vectors) else {}
            yield edge.Point(number, {**first, "s": pairs, "t": pairs}, {"group": self._groups[number]})

    def near(self, using: str, at: int) -> Any:
        """The i-th query as the peer takes it."""
        return edge.Query.Nearest(self.dense[at] if using == "d" else edge.SparseVector(*self.sparse[at]), using)

    def json(self, using: str, at: int) -> Any:
        """The i-th query as it is in a request."""
        if using == "d":
            return self.dense[at]
        indices, values = self.sparse[at]
        return {"indices": indices, "values": values}


def mixed(folder: Path, dense: int, sparse: int) -> Sequence[Case]:
    """All kinds, over so many points, of which ``dense`` have a dense vector, too."""
    data = _Data(dense, sparse)
    config = CollectionConfig(
        vectors={"d": VectorParams(DIM, Distance.COSINE)},
        sparse_vectors={"s": SparseVectorParams(), "t": SparseVectorParams(modifier=Modifier.IDF)},
    )
    ours = Ours(folder, config, data.stored())
    theirs = peer(
        folder,
        edge.EdgeConfig(
            {"d": edge.EdgeVectorParams(DIM, edge.Distance.Cosine)},
            {"s": edge.EdgeSparseVectorParams(), "t": edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        ),
        data.points(),
    )
    return [
        *(_nearest(ours, theirs, data, "d", share) for share in (None, 1, 10, 50)),
        *(_nearest(ours, theirs, data, using, share) for using, share in (("s", None), ("t", None), ("t", 10))),
        _recommended(ours, theirs, data),
        _fused(ours, theirs, data),
        _grouped(ours, theirs, data),
    ]


def _nearest(ours: Ours, theirs: Any, data: _Data, using: str, share: int | None) -> Case:
    """``share``: how many percent pass a filter; None for none."""
    condition, there = {}, None
    if share is not None:
        passing = [*range(share * VALUES // 100)]
        condition = {"filter": {"must": [{"key": "group", "match": {"any": passing}}]}}
        there = edge.Filter(must=[edge.FieldCondition("group", match=edge.MatchAny(passing))])
    ef = edge.SearchParams(hnsw_ef=EF)
    asked = [
        request(query=data.json(using, at), using=using, params={"hnsw_ef": EF}, **condition) for at in range(QUERIES)
    ]
    asked_there = [edge.QueryRequest(10, query=data.near(using, at), params=ef, filter=there) for at in range(QUERIES)]
    name = f"{WORDS[using]} nearest" if share is None else f"{WORDS[using]}, {share} % pass"
    return Case(name, lambda at: ours.answer(asked[at]), lambda at: theirs.query(asked_there[at]))


def _recommended(ours: Ours, theirs: Any, data: _Data) -> Case:
    examples = [([data.dense[at], data.dense[at - 1]], [data.dense[at - 2]]) for at in range(QUERIES)]
    asked = [
        request(query={"recommend": {"positive": liked, "negative": disliked, "strategy": "best_score"}}, using="d")
        for liked, disliked in examples
    ]
    exact = edge.SearchParams(exact=True)
    asked_there = [
        edge.QueryRequest(10, query=edge.Query.RecommendBestScore(edge.RecommendQuery(*some), "d"), params=exact)
        for some in examples
    ]
    return Case(
        "recommend, best_score, exact", lambda at: ours.answer(asked[at]), lambda at: theirs.query(asked_there[at])
    )


def _fused(ours: Ours, theirs: Any, data: _Data) -> Case:
    dense, sparse = {"using": "d", "params": {"hnsw_ef": EF}}, {"using": "t"}
    asked = [
        request(
            prefetch=[
                {"query": data.json("d", at), "limit": PREFETCHED, **dense},
                {"query": data.json("t", at), "limit": PREFETCHED, **sparse},
            ],
            query={"fusion": "rrf"},
        )
        for at in range(QUERIES)
    ]
    ef = edge.SearchParams(hnsw_ef=EF)
    asked_there = [
        edge.QueryRequest(
            10,
            prefetches=[
                edge.Prefetch(PREFETCHED, query=data.near("d", at), params=ef),
                edge.Prefetch(PREFETCHED, query=data.near("t", at)),
            ],
            query=edge.Fusion.Rrf(2),
        )
        for at in range(QUERIES)
    ]
    return Case(
        "fusion of dense and sparse", lambda at: ours.answer(asked[at]), lambda at: theirs.query(asked_there[at])
    )


def _grouped(ours: Ours, theirs: Any, data: _Data) -> Case:
    """The peer has no groups: it is asked once for as many points."""
    asked = [
        QueryGroupsRequest(query=data.dense[at], using="d", group_by="group", limit=GROUPS, group_size=GROUP_SIZE)
        for at in range(QUERIES)
    ]
    asked_there = [
        edge.QueryRequest(GROUPS * GROUP_SIZE, query=data.near("d", at), with_payload=True) for at in range(QUERIES)
    ]
    return Case(
        "groups (peer: one query of as many points)",
        lambda at: ours.answer(asked[at]),
        lambda at: _by_value(theirs.query(asked_there[at])),
    )


def _by_value(hits: Sequence[Any]) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = {}
    for hit in hits:
        groups.setdefault(hit.payload["group"], []).append(hit)
    return groups

"""Multivectors, all compared, and as a second look at what dense vectors found."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import qdrant_edge as edge

from bench.queries.engines import Ours, peer, request
from bench.queries.measure import QUERIES, Case
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.vectors.params import MultivectorConfig

DIM, ROWS = 128, 32
SEED = 5
LOOKED_AT_AGAIN = 100
UNINDEXED = 10_000_000


def multivectors(folder: Path, count: int) -> Sequence[Case]:
    """Both kinds, over so many points with a multivector of ``ROWS`` vectors, and a dense one: the first of these."""
    random = np.random.default_rng(SEED)
    vectors = random.normal(size=(count + QUERIES, ROWS, DIM)).astype(np.float32)
    asked, vectors = vectors[:QUERIES], vectors[QUERIES:]
    first = np.ascontiguousarray(vectors[:, 0])
    config = CollectionConfig(
        vectors={
            "d": VectorParams(DIM, Distance.COSINE),
            "m": VectorParams(DIM, Distance.COSINE, multivector_config=MultivectorConfig()),
        }
    )
    ours = Ours(
        folder,
        config,
        ((n, [(0, first[n].tobytes()), (1, vectors[n].tobytes())], b'{"group":1}') for n in range(count)),
    )
    several = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
    theirs = peer(
        folder,
        edge.EdgeConfig(
            {
                "d": edge.EdgeVectorParams(DIM, edge.Distance.Cosine),
                "m": edge.EdgeVectorParams(DIM, edge.Distance.Cosine, multivector_config=several),
            },
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=UNINDEXED),
        ),
        (edge.Point(n, {"d": first[n].tolist(), "m": vectors[n].tolist()}, {"group": 1}) for n in range(count)),
    )
    lists = [vector.tolist() for vector in asked]
    whole = [request(query=lists[at], using="m") for at in range(QUERIES)]
    exact = edge.SearchParams(exact=True)
    whole_there = [
        edge.QueryRequest(10, query=edge.Query.Nearest(lists[at], "m"), params=exact) for at in range(QUERIES)
    ]
    again = [
        request(prefetch={"query": lists[at][0], "using": "d", "limit": LOOKED_AT_AGAIN}, query=lists[at], using="m")
        for at in range(QUERIES)
    ]
    again_there = [
        edge.QueryRequest(
            10,
            prefetches=[edge.Prefetch(LOOKED_AT_AGAIN, query=edge.Query.Nearest(lists[at][0], "d"))],
            query=edge.Query.Nearest(lists[at], "m"),
        )
        for at in range(QUERIES)
    ]
    return [
        Case("all compared", lambda at: ours.answer(whole[at]), lambda at: theirs.query(whole_there[at])),
        Case(
            f"{LOOKED_AT_AGAIN} scored again",
            lambda at: ours.answer(again[at]),
            lambda at: theirs.query(again_there[at]),
        ),
    ]

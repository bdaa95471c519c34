"""Qdrant's own client in its local mode, asked by requests in JSON."""

from itertools import pairwise
from typing import Any

from qdrant_client import QdrantClient, models

from tests.queries.comparison import Answer, Groups, close
from tests.queries.world import CONFIG, POINTS


class LocalMode:
    """The points, in this process's memory."""

    def __init__(self) -> None:
        self._client = QdrantClient(":memory:")
        self._client.create_collection(
            "c",
            {name: models.VectorParams.model_validate(params) for name, params in CONFIG["vectors"].items()},
            {
                name: models.SparseVectorParams.model_validate(params)
                for name, params in CONFIG["sparse_vectors"].items()
            },
        )
        self._client.upsert("c", [models.PointStruct.model_validate(point) for point in POINTS])

    def close(self) -> None:
        self._client.close()

    def answer(self, asked: dict[str, Any]) -> Answer:
        """The answer to a query."""
        request = models.QueryRequest.model_validate(asked)
        found = self._client.query_points(
            "c",
            query=request.query,
            using=request.using,
            prefetch=request.prefetch,
            query_filter=request.filter,
            limit=request.limit or 10,
            offset=request.offset,
        )
        return [(hit.id, hit.score) for hit in found.points]

    def groups(self, asked: dict[str, Any]) -> Groups:
        """The answer to a query for groups."""
        request = models.QueryGroupsRequest.model_validate(asked)
        found = self._client.query_points_groups(
            "c",
            request.group_by,
            query=request.query,
            using=request.using,
            prefetch=request.prefetch,
            query_filter=request.filter,
            limit=request.limit or 3,
            group_size=request.group_size or 3,
        )
        return [(group.id, [(hit.id, hit.score) for hit in group.hits]) for group in found.groups]

    def has_ties(self, asked: dict[str, Any]) -> bool:
        """Whether prefetches find points that are equally good."""
        for prefetch in asked["prefetch"]:
            scores = [score for _, score in self.answer(prefetch)]
            if any(close(one, other) for one, other in pairwise(scores)):
                return True
        return False

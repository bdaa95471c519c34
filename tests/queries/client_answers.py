"""Qdrant's own client, in its local mode or of a server, asked by requests in JSON."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
from qdrant_client import QdrantClient, models

from tests.queries.comparison import Answer, Groups, close
from tests.queries.world import CONFIG, POINTS


class ClientAnswers:
    """What a client answers over the collection ``c``."""

    def __init__(self, client: QdrantClient) -> None:
        self.client = client

    def close(self) -> None:
        """Hang up."""
        self.client.close()

    def upsert(self) -> None:
        """Put all points there."""
        self.client.upsert("c", [models.PointStruct.model_validate(point) for point in POINTS])

    def answers(self, asked: Sequence[dict[str, Any]]) -> list[Answer]:
        """The answers to some queries."""
        return [self.answer(one) for one in asked]

    def answer(self, asked: dict[str, Any]) -> Answer:
        """The answer to a query."""
        request = models.QueryRequest.model_validate(asked)
        found = self.client.query_points(
            "c",
            query=request.query,
            using=request.using,
            prefetch=request.prefetch,
            query_filter=request.filter,
            search_params=request.params,
            limit=request.limit or 10,
            offset=request.offset,
        )
        return [(hit.id, hit.score) for hit in found.points]

    def groups(self, asked: dict[str, Any]) -> Groups:
        """The answer to a query for groups."""
        request = models.QueryGroupsRequest.model_validate(asked)
        found = self.client.query_points_groups(
            "c",
            request.group_by,
            query=request.query,
            using=request.using,
            prefetch=request.prefetch,
            query_filter=request.filter,
            search_params=request.params,
            limit=request.limit or 3,
            group_size=request.group_size or 3,
        )
        return [(group.id, [(hit.id, hit.score) for hit in group.hits]) for group in found.groups]


class LocalMode(ClientAnswers):
    """The points, in this process's memory. What was asked once is answered from memory, too."""

    def __init__(self) -> None:
        super().__init__(QdrantClient(":memory:"))
        self._known: dict[bytes, Answer] = {}
        self.client.create_collection(
            "c",
            {name: models.VectorParams.model_validate(params) for name, params in CONFIG["vectors"].items()},
            {
                name: models.SparseVectorParams.model_validate(params)
                for name, params in CONFIG["sparse_vectors"].items()
            },
        )
        self.upsert()

    def answer(self, asked: dict[str, Any]) -> Answer:
        """The answer to a query."""
        key = msgspec.json.encode(asked)
        if key not in self._known:
            self._known[key] = super().answer(asked)
        return self._known[key]

    def has_ties(self, asked: dict[str, Any]) -> bool:
        """Whether prefetches find points that are equally good."""
        for prefetch in asked["prefetch"]:
            scores = [score for _, score in self.answer(prefetch)]
            if any(close(one, other) for one, other in pairwise(scores)):
                return True
        return False

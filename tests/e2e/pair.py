"""The same request to Headwater and to an oracle, and the same answer from both.

The oracle is the client's own local mode. The real engine was asked about everything here that is not obvious:

- An operation that names a point that isn't there changes the others and answers 404 naming the first such id;
  ``delete`` and an upsert do not. (The local mode refuses without a change, or with some of them.)
- A value of null in a set payload removes the key.
- An upsert replaces a point whole: vectors it doesn't give are gone, and so is the payload.
- Of an id that is twice in one request the later counts.
- A cosine vector of zeros is kept, and its score is 0.
- A score that equals the threshold is not an answer.
- An overwrite ignores its ``key``: it isn't given one here.
- A filter that names no point of the collection changes nothing and is no error.
"""

from collections.abc import Callable, Sequence
from math import isclose
from typing import Any

import numpy as np
import pytest
from grpc import RpcError
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from compose.grpc.errors import CODES

TOLERANCE = 1e-5
REFUSED = (UnexpectedResponse, RpcError)
"""What the client raises when the server refuses, over REST and over gRPC."""
REFUSALS = (*REFUSED, ResponseHandlingException, ValueError, KeyError)
EVERYTHING = 1000


def canonical_vector(vector: Any, cosine: dict[str, bool]) -> Any:
    """A vector, or several by name, with those compared by cosine at length 1: the length is not part of the answer."""
    if vector is None or vector == {}:
        return {}
    named: dict[str, list[float]] = {"": vector} if isinstance(vector, list) else vector
    return {name: _unit(values) if cosine[name] else values for name, values in sorted(named.items())}


def _unit(values: list[float]) -> list[float]:
    array = np.array(values)
    length = float(np.linalg.norm(array))
    return list(array / length) if length > 0 else values


def same_vectors(ours: Any, theirs: Any) -> bool:
    """Whether two canonical vectors are equal up to rounding."""
    return ours.keys() == theirs.keys() and all(np.allclose(ours[n], theirs[n], atol=TOLERANCE) for n in ours)


class Pair:
    """Two clients and one collection that both have."""

    def __init__(self, headwater: QdrantClient, name: str, params: dict[str, models.VectorParams]) -> None:
        self.headwater = headwater
        self.messages = bool(headwater.init_options.get("prefer_grpc"))
        self.oracle = QdrantClient(":memory:")
        self.name = name
        self.params = params
        self.names = list(params)
        self.cosine = {n: p.distance == models.Distance.COSINE for n, p in params.items()}

    def create(self, **settings: Any) -> None:
        """Create the collection in both."""
        config = self.params[""] if self.names == [""] else self.params
        self.oracle.create_collection(self.name, vectors_config=config)
        self.headwater.create_collection(self.name, vectors_config=config, **settings)

    def close(self) -> None:
        """Drop the collection and the oracle."""
        self.headwater.delete_collection(self.name)
        self.oracle.close()

    def both(self, call: Callable[[QdrantClient], Any]) -> tuple[Any, Any] | None:
        """The two answers, or None when both refuse. Fails when only one does."""
        try:
            ours, our_refusal = call(self.headwater), None
        except REFUSALS as refusal:
            ours, our_refusal = None, refusal
        try:
            theirs, their_refusal = call(self.oracle), None
        except REFUSALS as refusal:
            theirs, their_refusal = None, refusal
        if (our_refusal is None) != (their_refusal is None):
            raise AssertionError(f"Headwater: {our_refusal or 'accepts'}; expected: {their_refusal or 'acceptance'}")
        return None if our_refusal else (ours, theirs)

    def refused_by_headwater(self, call: Callable[[QdrantClient], Any], status: int, message: str) -> None:
        """Check that Headwater refuses, with this status, naming this; the oracle is not asked."""
        with pytest.raises(REFUSED, match=message) as caught:
            call(self.headwater)
        error: Any = caught.value
        if isinstance(error, UnexpectedResponse):
            assert error.status_code == status
        else:
            assert error.code() is CODES[status]

    def has(self, ids: Sequence[Any]) -> list[bool]:
        """Which of the points are there."""
        found = {record.id for record in self.oracle.retrieve(self.name, ids=list(ids), with_payload=False)}
        return [point_id in found for point_id in ids]

    def same_records(self, ours: Sequence[models.Record], theirs: Sequence[models.Record], ordered: bool) -> None:
        """Check that records are equal: ids (in order, where there is one), payloads, vectors."""
        our_ids, their_ids = [r.id for r in ours], [r.id for r in theirs]
        if ordered:
            assert our_ids == their_ids
        assert sorted(map(str, our_ids)) == sorted(map(str, their_ids))
        expected = {record.id: record for record in theirs}
        for record in ours:
            other = expected[record.id]
            payloads = record.payload, other.payload
            if self.messages:
                # An empty one and none are the same in messages.
                payloads = record.payload or {}, other.payload or {}
            assert payloads[0] == payloads[1], f"{record.id}: {payloads[0]}, expected {payloads[1]}"
            mine = canonical_vector(record.vector, self.cosine)
            reference = canonical_vector(other.vector, self.cosine)
            assert same_vectors(mine, reference), f"vectors of {record.id}: {mine}, expected {reference}"

    def same_hits(
        self, ours: Sequence[models.ScoredPoint], theirs: Sequence[models.ScoredPoint], everything: dict[Any, float]
    ) -> None:
        """Check the scores. Equal ones may come in any order, so which id is where is checked by its score."""
        assert len(ours) == len(theirs), f"{len(ours)} hits, expected {len(theirs)}"
        assert len({hit.id for hit in ours}) == len(ours), "an id twice"
        for hit, other in zip(ours, theirs, strict=True):
            assert isclose(hit.score, other.score, rel_tol=TOLERANCE, abs_tol=TOLERANCE), f"{hit}, expected {other}"
            assert hit.id in everything, f"{hit.id} is not among the candidates"
            score = everything[hit.id]
            assert isclose(hit.score, score, rel_tol=TOLERANCE, abs_tol=TOLERANCE), f"{hit}, expected score {score}"

    def same_points(self) -> None:
        """Check that the whole collection is the same, one scroll after another and by count."""
        ours, theirs = ([*self._all(client)] for client in (self.headwater, self.oracle))
        self.same_records(ours, theirs, ordered=True)
        assert self.headwater.count(self.name).count == len(theirs)

    def _all(self, client: QdrantClient) -> list[models.Record]:
        return client.scroll(self.name, limit=EVERYTHING, with_payload=True, with_vectors=True)[0]

"""Random operations and reads on Headwater, over REST, beside the client's local mode: the same answers.

What was asked of the real engine, and where Headwater departs from it on purpose, is in ``pair.py``.
"""

import re
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from qdrant_client import QdrantClient, models

from tests.e2e.operations import (
    Body,
    batches,
    edited_ids,
    edits_by_filter,
    edits_of,
    send,
    send_batch,
    upserts,
    without,
)
from tests.e2e.pair import EVERYTHING, Pair
from tests.e2e.strategies import (
    MOMENTS,
    filters,
    id_lists,
    numbers,
    payload_selections,
    point_ids,
    quarters,
    small,
    vectors,
)
from tests.e2e.target import Target
from tests.support.examples import tries
from tests.support.seeds import BASE_SEED

COLLECTION = "differential"
EXAMPLES = 45
GRPC_SHARE = 0.3
"""What is found is found by the same handlers."""
INDEXES = {
    "city": models.PayloadSchemaType.KEYWORD,
    "n": models.PayloadSchemaType.INTEGER,
    "x": models.PayloadSchemaType.FLOAT,
    "flag": models.PayloadSchemaType.BOOL,
    "when": models.PayloadSchemaType.DATETIME,
}
"""Of types that say what can be counted and ordered, and change nothing of what a filter means."""
TEXT = models.TextIndexParams(type=models.TextIndexType.TEXT, phrase_matching=True)
"""Local mode compares tokens on any field, as a field with such an index does; without one, as recorded, the text is
looked for as it is."""
FACETED = {"city": str, "n": int, "flag": bool}
ORDERED = {"n": small, "x": numbers, "when": st.sampled_from(MOMENTS)}
distances = st.sampled_from(list(models.Distance))
data = st.data()
thresholds = st.one_of(st.none(), quarters.map(lambda value: value + 0.0625))


@st.composite
def _params(draw: st.DrawFn) -> dict[str, models.VectorParams]:
    if draw(st.booleans()):
        return {"": models.VectorParams(size=4, distance=draw(distances))}
    return {name: models.VectorParams(size=size, distance=draw(distances)) for name, size in (("b", 3), ("a", 4))}


class Differential(RuleBasedStateMachine):
    """Rules draw what depends on the collection; ``headwater`` is set by the test."""

    headwater: QdrantClient

    def __init__(self) -> None:
        super().__init__()
        self.pair: Pair | None = None
        self.shards = 1

    @property
    def same(self) -> Pair:
        """The collection in both."""
        assert self.pair is not None
        return self.pair

    @initialize(params=_params(), shards=st.sampled_from([1, 1, 4]), seconds=st.sampled_from([0, 5]))
    def create(self, params: dict[str, models.VectorParams], shards: int, seconds: int) -> None:
        """Segments are made of the points all the time, or after they were all compared."""
        self.shards = shards
        self.pair = Pair(self.headwater, COLLECTION, params)
        optimizers = models.OptimizersConfigDiff(indexing_threshold=1, flush_interval_sec=seconds)
        self.pair.create(shard_number=shards, optimizers_config=optimizers)
        for key, kind in INDEXES.items():
            self.headwater.create_payload_index(COLLECTION, key, kind)
        self.headwater.create_payload_index(COLLECTION, "text", TEXT)

    def teardown(self) -> None:
        if self.pair is not None:
            self.pair.close()

    @rule(source=data)
    def upsert(self, source: st.DataObject) -> None:
        body = source.draw(upserts(self.same.params))
        self.same.both(lambda client: send(client, COLLECTION, body))

    @rule(source=data)
    def edit(self, source: st.DataObject) -> None:
        body = source.draw(edits_of(id_lists(3), self.same.params))
        ids = edited_ids(body)
        missing = [point_id for point_id, there in zip(ids, self.same.has(ids), strict=True) if not there]
        if not missing:
            self.same.both(lambda client: send(client, COLLECTION, body))
            return
        # Each shard tells of the first that is missing there.
        named = "|".join(re.escape(str(i)) for i in (missing if self.shards > 1 else missing[:1]))
        self.same.refused_by_headwater(
            lambda client: send(client, COLLECTION, body), 404, f"No point with id ({named}) found"
        )
        others = without(body, missing)
        if others is not None:
            send(self.same.oracle, COLLECTION, others)

    @rule(source=data)
    def edit_by_filter(self, source: st.DataObject) -> None:
        body = source.draw(edits_by_filter(self.same.params))
        self.same.both(lambda client: send(client, COLLECTION, body))

    @rule(ids=id_lists())
    def delete(self, ids: list[Any]) -> None:
        self.same.both(lambda client: send(client, COLLECTION, {"delete": {"points": ids}}))

    @rule(source=data)
    def batch(self, source: st.DataObject) -> None:
        operations: list[Body] = source.draw(batches(self.same.params))
        self.same.both(lambda client: send_batch(client, COLLECTION, operations))

    @rule(ids=id_lists(8), payload=payload_selections(), source=data)
    def retrieve(self, ids: list[Any], payload: Any, source: st.DataObject) -> None:
        vector = source.draw(self._vector_selections())
        answers = self.same.both(
            lambda client: client.retrieve(COLLECTION, ids, with_payload=payload, with_vectors=vector)
        )
        assert answers is not None
        self.same.same_records(*answers, ordered=False)

    @rule(source=data, payload=payload_selections(), limit=st.integers(1, 6), start=st.one_of(st.none(), point_ids))
    def scroll(self, source: st.DataObject, payload: Any, limit: int, start: Any) -> None:
        condition = source.draw(st.one_of(st.none(), filters(self.same.names)))
        vector = source.draw(self._vector_selections())
        while True:
            answers = self.same.both(
                lambda client, at=start: client.scroll(
                    COLLECTION, condition, limit, offset=at, with_payload=payload, with_vectors=vector
                )
            )
            assert answers is not None
            (ours, our_next), (theirs, their_next) = answers
            self.same.same_records(ours, theirs, ordered=True)
            assert our_next == their_next
            start = their_next
            if start is None:
                return

    @rule(source=data, exact=st.booleans())
    def count(self, source: st.DataObject, exact: bool) -> None:
        condition = source.draw(st.one_of(st.none(), filters(self.same.names)))
        answers = self.same.both(lambda client: client.count(COLLECTION, condition, exact=exact).count)
        assert answers is not None
        if exact:
            assert answers[0] == answers[1]

    @rule(source=data, key=st.sampled_from(sorted(FACETED)), limit=st.integers(1, 6))
    def facet(self, source: st.DataObject, key: str, limit: int) -> None:
        """The local mode counts values of every type, Headwater those of the index's."""
        condition = source.draw(st.one_of(st.none(), filters(self.same.names)))
        ours, theirs = (
            {
                hit.value: hit.count
                for hit in client.facet(COLLECTION, key, condition, limit=EVERYTHING, exact=True).hits
                if type(hit.value) is FACETED[key]
            }
            for client in (self.same.headwater, self.same.oracle)
        )
        assert ours == theirs
        first = self.same.headwater.facet(COLLECTION, key, condition, limit=limit, exact=True).hits
        assert [hit.count for hit in first] == sorted(ours.values(), reverse=True)[:limit]

    @rule(source=data, key=st.sampled_from(sorted(ORDERED)), descending=st.booleans(), limit=st.integers(1, 12))
    def ordered(self, source: st.DataObject, key: str, descending: bool, limit: int) -> None:
        """Points of the same value may come in any order: which id is where is checked by its value."""
        condition = source.draw(st.one_of(st.none(), filters(self.same.names)))
        start: Any = source.draw(st.one_of(st.none(), ORDERED[key]))
        direction = models.Direction.DESC if descending else models.Direction.ASC
        order = models.OrderBy(key=key, direction=direction, start_from=start)
        answers = self.same.both(
            lambda client: client.scroll(COLLECTION, condition, limit=limit, order_by=order)[0],
        )
        assert answers is not None
        ours, theirs = answers
        assert [record.order_value for record in ours] == [record.order_value for record in theirs]
        known = {record.id: record.payload for record in self.same.oracle.scroll(COLLECTION, limit=EVERYTHING)[0]}
        assert all(record.payload == known[record.id] for record in ours)

    @rule(
        source=data,
        payload=payload_selections(),
        limit=st.integers(1, 12),
        offset=st.integers(0, 4),
        threshold=thresholds,
        exact=st.booleans(),
    )
    def query(
        self, source: st.DataObject, payload: Any, limit: int, offset: int, threshold: float | None, exact: bool
    ) -> None:
        name = source.draw(st.sampled_from(self.same.names))
        by_vector = vectors(self.same.params[name].size)
        query = source.draw(st.one_of(by_vector, by_vector, point_ids))
        request: dict[str, Any] = {
            "query": query,
            "using": name or None,
            "query_filter": source.draw(st.one_of(st.none(), filters(self.same.names))),
            "search_params": models.SearchParams(exact=exact),
        }
        selection = source.draw(self._vector_selections())
        shown: dict[str, Any] = {"with_payload": payload, "with_vectors": selection, "score_threshold": threshold}
        everything = self._everything(request)
        if threshold is not None and any(abs(score - threshold) < 1e-4 for score in everything.values()):
            return
        answers = self.same.both(
            lambda client: client.query_points(COLLECTION, **request, **shown, limit=limit, offset=offset).points
        )
        if answers is not None:
            self.same.same_hits(*answers, everything=everything)
            self._same_content(answers[0], shown)

    def _everything(self, request: dict[str, Any]) -> dict[Any, float]:
        try:
            found = self.same.oracle.query_points(COLLECTION, **request, limit=EVERYTHING, with_payload=False)
        except (ValueError, KeyError):
            return {}
        return {hit.id: hit.score for hit in found.points}

    def _same_content(self, hits: list[models.ScoredPoint], shown: dict[str, Any]) -> None:
        selection = {"with_payload": shown["with_payload"], "with_vectors": shown["with_vectors"]}
        expected = self.same.oracle.retrieve(COLLECTION, [hit.id for hit in hits], **selection)
        records = [models.Record(id=hit.id, payload=hit.payload, vector=hit.vector) for hit in hits]
        self.same.same_records(records, expected, ordered=False)

    def _vector_selections(self) -> st.SearchStrategy[Any]:
        some = st.lists(st.sampled_from(self.same.names), min_size=1, max_size=2, unique=True)
        return st.booleans() if self.same.names == [""] else st.one_of(st.booleans(), some)

    @invariant()
    def same_points(self) -> None:
        if self.pair is not None:
            self.pair.same_points()


@pytest.fixture(scope="module", params=[False, True], ids=["rest", "grpc"])
def prefer_grpc(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def flags() -> list[str]:
    """The shards are in several partitions."""
    return ["--partitions", "3"]


@pytest.mark.filterwarnings("ignore:Local mode performs exact")
def test_answers_as_the_clients_local_mode(client: QdrantClient, server: Target, prefer_grpc: bool) -> None:
    machine = type("Differential", (Differential,), {"headwater": client})
    run_state_machine_as_test(
        hypothesis.seed(BASE_SEED)(machine),
        settings=settings(
            max_examples=int(tries(EXAMPLES) * server.examples * (GRPC_SHARE if prefer_grpc else 1)),
            stateful_step_count=25,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )

"""Scans: what is long is done by threads of the kernel, and finds the same."""

from dataclasses import replace
from weakref import ref

import numpy as np
import pytest

from ingest.deadline import Deadline
from projector.frames import ShardId
from projector.kernel import KernelParts, KernelPool
from projector.quantization.search_codes import LEAST_ROWS
from projector.vectors.dense import DenseVectors
from projector.view import live_tails
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from query_api.budget import Allowance, OverEstimateError
from query_api.find.joint import JointSearch
from query_api.find.nearest import NearestSearch
from query_api.native import SPLIT_US
from query_api.plan.leaves import QuantizedSearch
from query_api.plan.selection import Selection
from query_api.vectors import dense
from schemas.config import CollectionConfig, Datatype, Distance, VectorParams
from schemas.ids import PointId
from schemas.points import encode_point
from schemas.vectors.dense import DenseKind
from tests.projector.kernel.test_threads import next_taken
from tests.query_api.engine import NearestQuery, search

DIM = 512
PLAIN = Selection(with_payload=False)
UNLIMITED = Allowance(np.inf, Deadline(np.inf))


def of_rows(
    count: int, distance: Distance = Distance.COSINE, datatype: Datatype | None = None, batch: int | None = None
) -> tuple[ShardView, list[NearestQuery]]:
    matrix = np.random.default_rng(1).normal(size=(count, DIM)).astype(np.float32)
    params = VectorParams(DIM, distance, datatype=datatype)
    kind = DenseKind(params)
    live = LiveShard(ShardId(1, 0), CollectionConfig(vectors={"": params}), [], 0)
    points = [encode_point(1, [(0, kind.stored(row[np.newaxis]))], b"") for row in matrix]
    for at in range(0, count, batch or count):
        some = points[at : at + (batch or count)]
        live.apply([PointId(at + i) for i in range(len(some))], some, 1)
    queries = [np.frombuffer(kind.stored(row[np.newaxis]), kind.dtype) for row in matrix[:4]]
    return live.publish(1), [NearestQuery(query, "", 5) for query in queries]


def ahead_of(view: ShardView, query: NearestQuery) -> JointSearch:
    (ahead,) = NearestSearch(view, query.leaf).ahead
    assert isinstance(ahead, JointSearch)
    return ahead


def test_what_is_long_is_done_ahead_and_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    view, queries = of_rows(28_000)
    alone = [ahead_of(view, query).nearest(Allowance(np.inf, Deadline(np.inf))) for query in queries]

    def not_here(*_: object) -> None:
        raise AssertionError("it was to be done ahead")

    monkeypatch.setattr(Allowance, "spend", not_here)
    for query, candidates in zip(queries, alone, strict=True):
        assert ahead_of(view, query).us > SPLIT_US
        found = {(point.id, point.score) for point in search([view], query, PLAIN)}
        assert found == set(zip(candidates.places.tolist(), candidates.scores.tolist(), strict=True))


def test_a_view_that_was_searched_goes_with_the_last_who_holds_it() -> None:
    view, queries = of_rows(50)
    for query in (queries[0], replace(queries[0], exact=True)):
        ahead_of(view, query).nearest(UNLIMITED)
    held = ref(view)
    del view
    assert held() is None


def test_what_failed_ahead_is_done_by_who_needs_it() -> None:
    view, queries = of_rows(50)
    search = NearestSearch(view, queries[2].leaf)
    (ahead,) = search.ahead
    assert isinstance(ahead, JointSearch)
    ahead.end("std::bad_alloc")
    assert ahead.us > 0
    assert search.run(Allowance(np.inf, Deadline(np.inf)))[0].id == 2
    assert ahead.us == 0.0


def test_scans_of_many_parts_are_one_and_find_the_same() -> None:
    rng = np.random.default_rng(7)
    matrices = [rng.integers(-2, 3, (int(rng.integers(1, 5000)), 4)).astype(np.float32) for _ in range(7)]
    query = rng.integers(-2, 3, 4).astype(np.float32)
    pool = KernelPool(3)
    for wanted in (1, 10, 200):
        masks = [None if at % 3 else rng.random(len(rows)) < 0.5 for at, rows in enumerate(matrices)]
        every = [
            (float(score), number, row)
            for number, (rows, mask) in enumerate(zip(matrices, masks, strict=True))
            for row, score in enumerate(rows @ query)
            if mask is None or mask[row]
        ]
        least = sorted((score for score, *_ in every), reverse=True)[wanted - 1]
        right = [(number, row, score) for score, number, row in every if score >= least]
        asked = [(rows, mask, None) for rows, mask in zip(matrices, masks, strict=True)]
        parts = KernelParts(asked)
        pool.nearest(wanted, parts, "dot", query, wanted)
        for found in (parts.nearest("dot", query, wanted), next_taken(pool)):
            assert not isinstance(found, str)
            assert [*zip(*(values.tolist() for values in found[:3]), strict=True)] == right


def test_a_search_makes_some_codes_where_many_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tails, "FULL_ROWS", LEAST_ROWS)
    monkeypatch.setattr(dense, "MADE_AT_ONCE", 1000 * DIM)
    view, queries = of_rows(4 * LEAST_ROWS, batch=LEAST_ROWS)
    without = replace(queries[0], quantization=QuantizedSearch(ignore=True))
    right = str(ahead_of(view, without).nearest(UNLIMITED))
    for missing in (3096, 2096, 1096, 96, 0, 0):
        assert str(ahead_of(view, queries[0]).nearest(UNLIMITED)) == right
        left = [held.vectors.missing_codes() for held in view.holding("") if isinstance(held.vectors, DenseVectors)]
        assert len(left) == 4
        assert sum(left) == missing


def test_what_is_long_is_not_done_on_the_loop() -> None:
    view, queries = of_rows(200)
    scan = ahead_of(view, queries[0])
    with pytest.raises(OverEstimateError):
        scan.nearest(Allowance(scan.us / 2, Deadline(np.inf)))


def test_what_compares_all_in_full_takes_longer() -> None:
    def us(distance: Distance, datatype: Datatype | None = None) -> float:
        view, queries = of_rows(50, distance, datatype)
        return ahead_of(view, queries[0]).us

    quick = us(Distance.COSINE)
    assert us(Distance.EUCLID) == us(Distance.COSINE, Datatype.FLOAT16) == us(Distance.EUCLID, Datatype.UINT8) == quick
    assert quick < us(Distance.DOT) == us(Distance.MANHATTAN) < us(Distance.COSINE, Datatype.UINT8)

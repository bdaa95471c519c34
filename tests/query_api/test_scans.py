"""Scans: what is long is done by threads of the kernel, and finds the same."""

import numpy as np
import pytest

from ingest.deadline import Deadline
from projector.frames import ShardId
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from query_api.budget import Allowance, OverEstimateError
from query_api.find import scans
from query_api.find.nearest import NearestSearch
from query_api.find.scans import Scan
from query_api.native import SPLIT_US
from query_api.plan.selection import Selection
from schemas.config import CollectionConfig, Datatype, Distance, VectorParams
from schemas.ids import PointId
from schemas.points import encode_point
from schemas.vectors.dense import DenseKind
from tests.query_api.engine import NearestQuery, search

DIM = 512
PLAIN = Selection(with_payload=False)


def of_rows(
    count: int, distance: Distance = Distance.COSINE, datatype: Datatype | None = None
) -> tuple[ShardView, list[NearestQuery]]:
    matrix = np.random.default_rng(1).normal(size=(count, DIM)).astype(np.float32)
    params = VectorParams(DIM, distance, datatype=datatype)
    kind = DenseKind(params)
    live = LiveShard(ShardId(1, 0), CollectionConfig(vectors={"": params}), [], 0)
    points = [encode_point(1, [(0, kind.stored(row[np.newaxis]))], b"") for row in matrix]
    live.apply([PointId(i) for i in range(count)], points, 1)
    queries = [np.frombuffer(kind.stored(row[np.newaxis]), kind.dtype) for row in matrix[:4]]
    return live.publish(1), [NearestQuery(query, "", 5) for query in queries]


def scan_of(view: ShardView, query: NearestQuery) -> Scan:
    (ahead,) = NearestSearch(view, query.leaf).ahead
    assert isinstance(ahead, Scan)
    return ahead


def test_what_is_long_is_done_ahead_and_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    view, queries = of_rows(9000)
    alone = [scan_of(view, query).nearest(Allowance(np.inf, Deadline(np.inf))) for query in queries]

    def not_here(*_: object) -> None:
        raise AssertionError("it was to be done ahead")

    monkeypatch.setattr(scans, "nearest", not_here)
    for query, (rows, scores) in zip(queries, alone, strict=True):
        assert scan_of(view, query).us > SPLIT_US
        found = {(point.id, point.score) for point in search([view], query, PLAIN)}
        assert found == set(zip(rows.tolist(), scores.tolist(), strict=True))


def test_what_failed_ahead_is_done_by_who_needs_it() -> None:
    view, queries = of_rows(50)
    scan = scan_of(view, queries[2])
    scan.end("std::bad_alloc")
    assert 2 in scan.nearest(Allowance(np.inf, Deadline(np.inf)))[0]
    assert scan.us == 0.0


def test_what_is_long_is_not_done_on_the_loop() -> None:
    view, queries = of_rows(200)
    scan = scan_of(view, queries[0])
    with pytest.raises(OverEstimateError):
        scan.nearest(Allowance(scan.us / 2, Deadline(np.inf)))


def test_what_compares_all_in_full_takes_longer() -> None:
    def us(distance: Distance, datatype: Datatype | None = None) -> float:
        view, queries = of_rows(50, distance, datatype)
        return scan_of(view, queries[0]).us

    quick = us(Distance.COSINE)
    assert us(Distance.EUCLID) == us(Distance.COSINE, Datatype.FLOAT16) == us(Distance.EUCLID, Datatype.UINT8) == quick
    assert quick < us(Distance.DOT) == us(Distance.MANHATTAN) < us(Distance.COSINE, Datatype.UINT8)

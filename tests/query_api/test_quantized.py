"""Search by codes, in segments that were built with them: what is answered beside what comparing everything gives."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.deadline import Deadline
from projector.frames import ShardId
from projector.segments.build import build_segment
from projector.segments.mapping import LeftOnDisk
from projector.segments.reader import Segment
from projector.segments.spec import BuildSpec
from projector.segments.spill import write_spill
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.explain import Notes, PartNote
from query_api.find.nearest import NearestSearch
from query_api.find.walks import GraphWalk
from query_api.plan.leaves import QuantizedSearch
from query_api.plan.selection import Selection
from schemas.config import CollectionConfig, Datatype, Distance, HnswConfig, VectorParams
from schemas.filters import Filter, parse_filter
from schemas.ids import PointId
from schemas.points import encode_point
from schemas.vectors.dense import DenseKind
from tests.projector.view.memory_segment import nobody_dead
from tests.query_api.engine import NearestQuery, search

DIM = 32
POINTS = 3000
WANTED = 10
QUERIES = 12
PLAIN = Selection(with_payload=False)
DISTANCES = [Distance.COSINE, Distance.DOT, Distance.EUCLID]
SETTINGS: dict[str, tuple[dict[str, Any], float]] = {
    "scalar": ({"scalar": {"type": "int8"}}, 0.98),
    "quantile": ({"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}}, 0.97),
    "binary": ({"binary": {"query_encoding": "scalar8bits"}}, 0.9),
    "two bits": ({"binary": {"encoding": "two_bits", "always_ram": True}}, 0.95),
    "turbo": ({"turbo": {}}, 0.98),
    "turbo 1.5": ({"turbo": {"bits": "bits1_5"}}, 0.9),
    "product": ({"product": {"compression": "x16"}}, 0.9),
}
"""Settings, and the recall to be had with them."""
CASES = [(settings, distance) for settings in ("scalar", "quantile") for distance in DISTANCES] + [
    ("binary", Distance.COSINE),
    ("two bits", Distance.EUCLID),
    ("turbo", Distance.EUCLID),
    ("turbo 1.5", Distance.DOT),
    ("product", Distance.COSINE),
]


@cache
def clustered() -> NDArray[np.float32]:
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(40, DIM)) + 1
    return (centres[rng.integers(0, 40, POINTS)] + rng.normal(size=(POINTS, DIM)) * 0.4).astype(np.float32)


@cache
def queries() -> NDArray[np.float32]:
    rng = np.random.default_rng(6)
    chosen = rng.choice(POINTS, QUERIES, replace=False)
    return (clustered()[chosen] + rng.normal(size=(QUERIES, DIM)) * 0.1).astype(np.float32)


@cache
def segment(distance: Distance, settings: str, datatype: Datatype | None = None) -> tuple[CollectionConfig, Segment]:
    params = VectorParams(DIM, distance, datatype=datatype, quantization_config=SETTINGS[settings][0])
    config = CollectionConfig(vectors={"": params}, hnsw=HnswConfig(m=16, ef_construct=64))
    kind = DenseKind(params)
    stored = [
        encode_point(1, [(0, kind.stored(scaled(clustered()[i : i + 1], datatype)))], b'{"digit":%d}' % (i * 7919 % 10))
        for i in range(POINTS)
    ]
    folder = Path(mkdtemp())
    with write_spill(folder / "1.spill") as spill:
        spill.add([PointId(i) for i in range(POINTS)], stored)
    build_segment(BuildSpec(str(folder / "s1"), config, [str(folder / "1.spill")], [], True, 1), lambda _: None)
    return config, Segment.open(folder / "s1")


def scaled(values: NDArray[np.float32], datatype: Datatype | None) -> NDArray[np.float32]:
    return values * 20 + 80 if datatype is Datatype.UINT8 else values


def shard(distance: Distance, settings: str, datatype: Datatype | None = None) -> LiveShard:
    config, built = segment(distance, settings, datatype)
    return LiveShard(ShardId(1, 0), config, [(built, nobody_dead(built))], 0)


def nearest(vector: NDArray[Any], filter: Filter | None = None, **params: Any) -> NearestQuery:
    exact = params.pop("exact", False)
    return NearestQuery(
        vector, "", WANTED, filter=filter, exact=exact, hnsw_ef=100, quantization=QuantizedSearch(**params)
    )


def found(view: ShardView, query: NearestQuery) -> dict[PointId, float]:
    return {point.id: point.score for point in search([view], query, PLAIN)}


@pytest.mark.parametrize("passing", [1, 5, 10])
@pytest.mark.parametrize(("settings", "distance"), CASES)
def test_what_is_found_by_codes_is_scored_exactly(settings: str, distance: Distance, passing: int) -> None:
    view = shard(distance, settings).view
    condition = None if passing == 10 else parse_filter({"must": [{"key": "digit", "range": {"lt": passing}}]})
    hits = 0
    for vector in queries():
        truth = found(view, nearest(vector, condition, exact=True))
        answer = found(view, nearest(vector, condition))
        assert len(answer) == WANTED
        assert all(truth.get(i, score) == score for i, score in answer.items())
        hits += len(truth.keys() & answer.keys())
    assert hits >= SETTINGS[settings][1] * QUERIES * WANTED


@pytest.mark.parametrize(("settings", "distance"), CASES)
def test_without_rescoring_scores_are_about_right(settings: str, distance: Distance) -> None:
    view = shard(distance, settings).view
    most = 0.06 if "scalar" in SETTINGS[settings][0] else 0.3
    # The difference of two vectors from the mean, each 6 long or about: products and squares are off by parts of that.
    scale = {Distance.COSINE: 1, Distance.DOT: 2 * 36, Distance.EUCLID: 2 * 36}[distance]
    power = 2 if distance is Distance.EUCLID else 1
    for vector in queries():
        answer = found(view, nearest(vector, rescore=False))
        truth = {p.id: p.score for p in search([view], NearestQuery(vector, "", POINTS, exact=True), PLAIN)}
        assert len(answer) == WANTED
        assert all(abs(truth[i] ** power - score**power) < most * scale for i, score in answer.items())


@pytest.mark.parametrize("datatype", [Datatype.FLOAT16, Datatype.UINT8])
@pytest.mark.parametrize("distance", [Distance.DOT, Distance.EUCLID])
def test_other_datatypes_are_quantized_too(distance: Distance, datatype: Datatype) -> None:
    view = shard(distance, "scalar", datatype).view
    part = view.segments[0].graph("")
    assert part is not None
    assert part.codes is not None
    kind = DenseKind(view.config.vectors[""])
    hits = 0
    for vector in queries():
        given = np.frombuffer(kind.stored(scaled(vector[np.newaxis], datatype)), kind.dtype)
        truth = found(view, nearest(given, exact=True))
        answer = found(view, nearest(given))
        assert all(truth.get(i, score) == score for i, score in answer.items())
        hits += len(truth.keys() & answer.keys())
    assert hits >= 0.97 * QUERIES * WANTED


def test_codes_are_ignored_where_that_is_asked_for() -> None:
    view = shard(Distance.COSINE, "scalar").view
    for vector in queries():
        assert found(view, nearest(vector, ignore=True, rescore=False)).items() <= (
            {p.id: p.score for p in search([view], NearestQuery(vector, "", POINTS, exact=True), PLAIN)}.items()
        )


def test_more_is_found_with_oversampling() -> None:
    view = shard(Distance.EUCLID, "scalar").view
    truth = [found(view, nearest(vector, exact=True)) for vector in queries()]
    for oversampling in (1.0, 2.4, 20.0):
        answers = [found(view, nearest(vector, oversampling=oversampling)) for vector in queries()]
        assert all(len(answer) == WANTED for answer in answers)
    hits = sum(len(t.keys() & a.keys()) for t, a in zip(truth, answers, strict=True))
    assert hits >= 0.99 * QUERIES * WANTED


def explained(view: ShardView, query: NearestQuery) -> tuple[NearestSearch, PartNote]:
    allowance = Allowance(np.inf, Deadline(np.inf))
    allowance.notes = Notes()
    asked = NearestSearch(view, query.leaf)
    asked.run(allowance)
    (note,) = allowance.notes.parts
    return asked, note


def test_codes_that_were_asked_for_are_searched_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    view = shard(Distance.EUCLID, "scalar").view
    graph = view.segments[0].graph("")
    assert graph is not None
    assert graph.codes is not None
    read: list[int] = []
    on_disk = LeftOnDisk(np.zeros((1, 4096), np.uint8))
    monkeypatch.setattr(on_disk, "read", read.append)
    monkeypatch.setattr(graph, "codes", graph.codes._replace(on_disk=on_disk))
    asked, note = explained(view, nearest(queries()[0], oversampling=2.4))
    assert [type(work) for work in asked.ahead] == [GraphWalk]
    # As many as are wanted are enough of what is kept to be compared exactly.
    assert (note.strategy, note.rescored) == ("graph", 24)
    assert read == [24]
    few = parse_filter({"must": [{"key": "digit", "range": {"lt": 5}}]})
    asked, note = explained(view, nearest(queries()[0], few))
    assert (list(asked.ahead), note.strategy) == ([], "codes")
    assert read == [24, note.rescored]
    asked, note = explained(view, nearest(queries()[0], rescore=False))
    assert (note.strategy, note.rescored, len(read)) == ("graph", 0, 2)

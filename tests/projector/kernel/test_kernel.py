"""The kernel beside numpy and beside itself: all instruction sets, datatypes and masks; and damaged links."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.kernel import DamagedGraphError, KernelGraph, distances, levels
from projector.segments.errors import SegmentDamagedError
from projector.segments.graph_build import build_links
from projector.segments.graph_links import Links
from projector.segments.repeats import Repeats
from schemas.config import Distance

DATATYPES = [np.float32, np.float16, np.uint8]
METRICS = {"dot": Distance.DOT, "squared": Distance.EUCLID}
ROWS = 600
ODD = [np.nan, np.inf, -np.inf, 3e38, 0.0]


def matrix(rows: int, dim: int, datatype: Any, seed: int = 0) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    if datatype is np.uint8:
        return rng.integers(0, 256, (rows, dim), np.uint8)
    return rng.standard_normal((rows, dim)).astype(datatype)


def expected(rows: NDArray[Any], metric: str, query: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = rows.astype(np.float64)
    return 1 - wide @ query if metric == "dot" else np.square(wide - query).sum(axis=1)


@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("metric", METRICS)
@given(dim=st.integers(1, 200), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_distances(level: str, datatype: Any, metric: str, dim: int, seed: int) -> None:
    rows = matrix(9, dim, datatype, seed)
    query = matrix(1, dim, np.float32, seed + 1)[0]
    found = distances(rows, metric, query, level=level)
    scale = np.abs(rows.astype(np.float64)) @ np.abs(query) + np.square(rows.astype(np.float64)).sum(axis=1) + 1
    assert np.all(np.abs(found - expected(rows, metric, query)) <= 1e-5 * scale)
    some = np.array([8, 0, 3], np.int64)
    assert distances(rows, metric, query, some, level).tolist() == found[some].tolist()
    assert found.tolist() == distances(rows, metric, query, level="baseline").tolist()


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, 6e-8, -6.1e-5, 65504.0, np.inf, -np.inf])
@pytest.mark.parametrize("level", levels())
def test_every_kind_of_half_is_widened(level: str, value: float) -> None:
    row = np.full((1, 3), value, np.float16)
    query = np.array([1, 0.5, 0.25], np.float32)
    assert distances(row, "dot", query, level=level)[0] == pytest.approx(1 - 1.75 * float(np.float16(value)), rel=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    rows, query = matrix(4, 3, np.float32), matrix(1, 3, np.float32)[0]
    with pytest.raises(ValueError, match="dim values"):
        distances(rows, "dot", query[:2])
    with pytest.raises(ValueError, match="metric"):
        distances(rows, "cosine", query)
    with pytest.raises(ValueError, match="float32, float16 or uint8"):
        distances(rows.astype(np.float64), "dot", query)
    with pytest.raises(ValueError, match="one piece"):
        distances(matrix(3, 8, np.float32)[:, ::2], "dot", matrix(1, 4, np.float32)[0])
    for row in (4, -1):
        with pytest.raises(IndexError):
            distances(rows, "dot", query, np.array([0, row], np.int64))
    with pytest.raises(ValueError, match="entry"):
        KernelGraph(rows, "dot", np.zeros((4, 3), np.uint32), [], 4)
    with pytest.raises(ValueError, match="each row"):
        KernelGraph(rows, "dot", np.zeros((5, 3), np.uint32), [], 0)
    graph = KernelGraph(rows, "dot", np.zeros((4, 3), np.uint32), [], 0)
    with pytest.raises(ValueError, match="mask"):
        graph.search(query, 1, 10, np.ones(3, np.bool_))


def built(metric: str, datatype: Any = np.float32) -> tuple[NDArray[Any], Links]:
    rows = matrix(ROWS, 24, datatype)
    links = build_links(rows.astype(np.float32), METRICS[metric], 8, 60, 1, Repeats.none(), lambda _: None)
    return rows, links


@pytest.fixture(scope="module")
def graph_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "graph.links"
    built("squared")[1].write(path)
    return path


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("datatype", DATATYPES)
def test_all_levels_find_the_same(metric: str, datatype: Any) -> None:
    rows, links = built(metric, datatype)
    graphs = [KernelGraph(rows, metric, links.base, links.upper, links.entry, level) for level in levels()]
    for query in matrix(20, 24, np.float32, 7):
        answers = [graph.search(query, 10, 60) for graph in graphs]
        said = [(rows.tolist(), distances.tolist(), *others) for rows, distances, *others in answers]
        assert said == [said[0]] * len(said)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 1.0])
def test_only_what_is_allowed_is_found(share: float) -> None:
    rows, links = built("squared")
    graph = KernelGraph(rows, "squared", links.base, links.upper, links.entry)
    allowed = np.random.default_rng(4).random(ROWS) < share
    hits = 0
    for query in matrix(20, 24, np.float32, 7):
        found, distance, compared, exhausted = graph.search(query, 5, 200, allowed)
        assert not exhausted
        assert compared <= 2 * ROWS
        assert allowed[found].all()
        assert distance.tolist() == sorted(distance.tolist())
        right = np.flatnonzero(allowed)[np.argsort(expected(rows[allowed], "squared", query))[:5]]
        hits += len({*right.tolist()} & {*found[:5].tolist()})
    assert hits >= 0.95 * 20 * min(5, int(allowed.sum()))


def test_a_walk_in_vain_ends_with_its_budget() -> None:
    rows, links = built("squared")
    graph = KernelGraph(rows, "squared", links.base, links.upper, links.entry)
    allowed = np.zeros(ROWS, np.bool_)
    allowed[np.argmax(expected(rows, "squared", rows[0].astype(np.float32)))] = True
    _, _, compared, exhausted = graph.search(rows[0], 1, 50, allowed, 100)
    assert exhausted
    assert compared <= 100 + links.base.shape[1]


def test_a_walk_is_given_up_where_what_is_near_may_not_be_found() -> None:
    rows, links = built("squared")
    graph = KernelGraph(rows, "squared", links.base, links.upper, links.entry)
    for query in matrix(20, 24, np.float32, 7):
        distance = expected(rows, "squared", query)
        far = distance > np.median(distance)
        _, _, compared, exhausted = graph.search(query, 5, 10, far, ROWS)
        assert exhausted
        assert compared < ROWS / 2
        chance = np.random.default_rng(4).permutation(far)
        found, _, _, exhausted = graph.search(query, 5, 10, chance, ROWS)
        assert not exhausted
        assert len(found) >= 5


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_links_are_noticed_or_walked_never_worse(data: st.DataObject) -> None:
    rows, links = built("squared")
    base, upper = links.base.copy(), [(on.copy(), theirs.copy()) for on, theirs in links.upper]
    arrays = [base, *(theirs for _, theirs in upper)]
    for _ in range(data.draw(st.integers(1, 40))):
        array = arrays[data.draw(st.integers(0, len(arrays) - 1))].reshape(-1)
        place = data.draw(st.integers(0, len(array) - 1))
        array[place] = data.draw(st.sampled_from([0, 1, 17, ROWS - 1, ROWS, 2**16, 2**31, 2**32 - 1]))
    graph = KernelGraph(rows, "squared", base, upper, links.entry)
    for query in matrix(5, 24, np.float32, 7):
        try:
            found, *_ = graph.search(query, 10, 50)
        except DamagedGraphError:
            continue
        assert len(set(found.tolist())) == len(found)
        assert all(row < ROWS for row in found.tolist())


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_refused_or_walked_never_worse(graph_file: Path, data: st.DataObject) -> None:
    content = bytearray(graph_file.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + 4] = data.draw(st.binary(min_size=1, max_size=4))
    damaged = graph_file.with_name("damaged.links")
    damaged.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2, 10, 0]))])
    try:
        # Who opens a segment compares checksums before.
        links = Links.open(damaged, ROWS)
        graph = KernelGraph(matrix(ROWS, 24, np.float32), "squared", links.base, links.upper, links.entry)
        found, *_ = graph.search(matrix(1, 24, np.float32, 7)[0], 10, 50)
    except (SegmentDamagedError, ValueError):
        return
    assert all(row < ROWS for row in found.tolist())


@given(places=st.lists(st.integers(0, ROWS * 24 - 1), min_size=1, max_size=400), value=st.sampled_from(ODD))
@settings(max_examples=20, deadline=None)
def test_damaged_vectors_are_walked(places: list[int], value: float) -> None:
    rows, links = built("squared")
    rows.reshape(-1)[places] = value
    graph = KernelGraph(rows, "squared", links.base, links.upper, links.entry)
    for query in (rows[0], matrix(1, 24, np.float32, 7)[0]):
        found, *_ = graph.search(query, 10, 50)
        assert len(set(found.tolist())) == len(found)

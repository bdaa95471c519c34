"""The kernel beside numpy and beside itself: all instruction sets, datatypes and masks; and damaged links."""

from concurrent.futures import ThreadPoolExecutor
from select import select
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.kernel import (
    DamagedGraphError,
    KernelGraph,
    KernelPool,
    KernelPostings,
    distances,
    levels,
    max_sim_nearest,
    nearest,
)
from projector.segments.graph_build import build_links
from projector.segments.graph_links import Links
from projector.segments.repeats import Repeats
from projector.vectors.ragged import ends_after
from schemas.config import Distance

DATATYPES = [np.float32, np.float16, np.uint8]
METRICS = {"dot": Distance.DOT, "squared": Distance.EUCLID}
ROWS = 600


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


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("datatype", DATATYPES)
def test_all_levels_find_the_same(metric: str, datatype: Any) -> None:
    rows, links = built(metric, datatype)
    graphs = [KernelGraph(rows, metric, links.base, links.upper, links.entry, level) for level in levels()]
    for query in matrix(20, 24, np.float32, 7):
        answers = [graph.search(query, 10, 60)[0][:10].tolist() for graph in graphs]
        assert answers == [answers[0]] * len(answers)


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


def test_many_at_once_are_as_one_by_one() -> None:
    rows, links = built("dot")
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    queries = matrix(40, 24, np.float32, 7)
    allowed = np.random.default_rng(4).random(ROWS) < 0.3
    pool = KernelPool(4)
    for ticket, query in enumerate(queries):
        pool.walk(ticket, graph, query.copy(), 10, 50, None if ticket % 2 else allowed.copy(), None)
    together = dict(taken(pool, len(queries)))
    for ticket, query in enumerate(queries):
        answer, alone = together[ticket], graph.search(query, 10, 50, None if ticket % 2 else allowed)
        assert not isinstance(answer, str)
        assert (answer[0].tolist(), answer[1].tolist(), *answer[2:]) == (
            alone[0].tolist(),
            alone[1].tolist(),
            *alone[2:],
        )


def test_threads_share_what_they_walk_and_scan() -> None:
    rows, links = built("dot")
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    queries = matrix(12, 24, np.float32, 7)
    allowed = np.random.default_rng(4).random(ROWS) < 0.3
    ends = ends_after(np.full(ROWS // 3, 3))
    terms = np.arange(3, dtype=np.uint32)
    lists = np.tile(np.arange(ROWS, dtype=np.uint32), 3)
    postings = KernelPostings(terms, np.arange(4) * ROWS, lists, rows.T[:3].ravel(), ROWS)

    def everything(number: int) -> list[Any]:
        query = queries[number]
        return [
            graph.search(query, 10, 50, allowed)[0].tolist(),
            distances(rows, "dot", query).tolist(),
            nearest(rows, "dot", query, 10, allowed)[0].tolist(),
            max_sim_nearest(rows, ends, "dot", queries[:3], 5)[0].tolist(),
            postings.nearest(terms, query[:3].astype(np.float64), 10)[0].tolist(),
        ]

    alone = [everything(number) for number in range(len(queries))]
    with ThreadPoolExecutor(4) as threads:
        for together in (threads.map(everything, range(len(queries))) for _ in range(3)):
            assert list(together) == alone


def taken(pool: KernelPool, count: int) -> list[tuple[int, Any]]:
    """What a pool says, until it has said so much."""
    answers: list[tuple[int, Any]] = []
    while len(answers) < count:
        readable, _, _ = select([pool.descriptor()], [], [], 60.0)
        assert readable
        answers += pool.finished()
    assert select([pool.descriptor()], [], [], 0.0)[0] == []
    assert pool.finished() == []
    return answers


def test_a_pool_says_that_a_graph_is_damaged_and_goes_on() -> None:
    rows, links = built("dot")
    damaged = links.base.copy()
    damaged[:, 1] = ROWS
    pool = KernelPool(1)
    pool.walk(1, KernelGraph(rows, "dot", damaged, [], 0), matrix(1, 24, np.float32)[0], 10, 50)
    pool.walk(2, KernelGraph(rows, "dot", links.base, links.upper, links.entry), matrix(1, 24, np.float32)[0], 10, 50)
    answers = taken(pool, 2)
    assert answers[0] == (1, "a link leads to no row")
    assert not isinstance(answers[1][1], str)


def test_a_pool_that_nobody_waits_for_ends_what_it_began_and_drops_the_rest() -> None:
    rows, links = built("dot")
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    pool = KernelPool(2)
    for ticket in range(200):
        pool.walk(ticket, graph, matrix(1, 24, np.float32)[0], 10, 50)
    del pool, graph


def test_a_pool_refuses_what_does_not_fit() -> None:
    rows, links = built("dot")
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    pool = KernelPool(1)
    with pytest.raises(ValueError, match="dim values"):
        pool.walk(1, graph, matrix(1, 23, np.float32)[0], 10, 50)
    with pytest.raises(ValueError, match="mask"):
        pool.walk(1, graph, matrix(1, 24, np.float32)[0], 10, 50, np.ones(3, np.bool_))
    assert pool.finished() == []


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

"""The kernel on many threads at once: Python's, and those of its pool."""

from concurrent.futures import ThreadPoolExecutor
from select import select
from sys import getrefcount
from typing import Any

import numpy as np
import pytest

from projector.kernel import KernelGraph, KernelParts, KernelPool, KernelPostings, distances, max_sim_nearest, nearest
from projector.vectors.ragged import ends_after
from tests.projector.kernel.test_kernel import ROWS, built, matrix


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


def test_threads_that_scan_together_find_what_one_does() -> None:
    rows = matrix(9000, 9, np.float32, 3)
    rows[np.random.default_rng(5).integers(0, len(rows), 3000)] = rows[17]
    queries = np.concatenate([matrix(20, 9, np.float32, 8), rows[17:18]])
    mask = np.random.default_rng(4).random(len(rows)) < 0.6
    chosen = [None, mask, np.flatnonzero(mask), np.flatnonzero(mask)[::-1], np.empty(0, np.int64)]
    asked = [
        (measure, query, wanted, some)
        for measure in ("cosine", "dot", "euclid", "manhattan")
        for query in queries
        for wanted in (0, 1, 10, 4000)
        for some in chosen
    ]
    pool = KernelPool(3)
    for ticket, (measure, query, wanted, some) in enumerate(asked):
        # One at a time: threads that have other work don't share theirs.
        scans = KernelParts([(rows, None if some is None else some.copy(), None)])
        pool.nearest(ticket, scans, measure, query.copy(), wanted)
        together = next_taken(pool)
        found, scores = nearest(rows, measure, query, wanted, some)
        assert together[0].tolist() == [0] * len(found)
        assert (together[1].tolist(), together[2].tolist()) == (found.tolist(), scores.tolist())


def test_walks_and_scans_share_a_pool() -> None:
    rows, links = built("dot")
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    queries = matrix(40, 24, np.float32, 7)
    pool = KernelPool(4)
    for ticket, query in enumerate(queries):
        pool.walk(2 * ticket, graph, query.copy(), 10, 50)
        pool.nearest(2 * ticket + 1, KernelParts([(rows, None, None)]), "dot", query.copy(), 10)
    together = dict(taken(pool, 2 * len(queries), together=True))
    for ticket, query in enumerate(queries):
        assert together[2 * ticket][0].tolist() == graph.search(query, 10, 50)[0].tolist()
        assert together[2 * ticket + 1][1].tolist() == nearest(rows, "dot", query, 10)[0].tolist()


def taken(pool: KernelPool, count: int, *, together: bool = False) -> list[tuple[int, Any]]:
    """What a pool says, until it has said so much.

    ``together``: several threads may have done one thing, of which any may end after that, and is told of then.
    """
    answers: list[tuple[int, Any]] = []
    while len(answers) < count:
        readable, _, _ = select([pool.descriptor()], [], [], 60.0)
        assert readable
        answers += pool.finished()
    assert together or select([pool.descriptor()], [], [], 0.0)[0] == []
    assert pool.finished() == []
    return answers


def next_taken(pool: KernelPool) -> Any:
    """What a pool says next; of what several threads did together one may end after that."""
    answers: list[tuple[int, Any]] = []
    while not answers:
        assert select([pool.descriptor()], [], [], 60.0)[0]
        answers = pool.finished()
    ((_, answer),) = answers
    return answer


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
    with pytest.raises(ValueError, match="dim values"):
        pool.nearest(1, KernelParts([(rows, None, None)]), "dot", matrix(1, 23, np.float32)[0], 10)
    with pytest.raises(IndexError):
        pool.nearest(1, KernelParts([(rows, np.array([ROWS]), None)]), "dot", matrix(1, 24, np.float32)[0], 10)
    assert pool.finished() == []


def test_what_a_scan_looks_at_is_kept_no_longer_than_it_takes() -> None:
    """The last of its tasks may be told of before another is put down as ended: that is then told of, too."""
    rows, query = matrix(16 * 2048, 1, np.float32, 3), matrix(1, 1, np.float32, 8)[0]
    pool = KernelPool(16)
    before = getrefcount(rows)
    for ticket in range(2000):
        pool.nearest(ticket, KernelParts([(rows, None, None)]), "dot", query, 5)
        answers: list[Any] = []
        while not answers or getrefcount(rows) > before:
            assert select([pool.descriptor()], [], [], 10.0)[0], "it is kept, and nothing tells of that"
            answers += pool.finished()

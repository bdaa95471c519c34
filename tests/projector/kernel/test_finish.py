"""What a walk leads to, compared exactly on the thread that walked: as when that is asked for by itself."""

import gc

import numpy as np
import pytest

from projector.kernel import KernelGraph, KernelPassing, KernelPool, KernelRescoring, nearest
from projector.segments.repeats import Repeats
from tests.projector.kernel.test_kernel import ROWS, built, matrix
from tests.projector.kernel.test_threads import taken

WANTED, EF = 7, 60
NONE = Repeats.none()


@pytest.mark.parametrize("metric", ["dot", "squared"])
@pytest.mark.parametrize("filtered", [False, True])
def test_it_gives_what_rescoring_gives(metric: str, filtered: bool) -> None:
    rows, links = built(metric)
    graph = KernelGraph(rows, metric, links.base, links.upper, links.entry)
    measure = "dot" if metric == "dot" else "euclid"
    rescoring = KernelRescoring(rows, measure, NONE.firsts, NONE.ends, NONE.rows)
    passing = KernelPassing(np.random.default_rng(2).random(ROWS) < 0.5) if filtered else None
    pool = KernelPool(3)
    queries = matrix(30, rows.shape[1], np.float32, 9)
    for ticket, query in enumerate(queries):
        pool.walk(ticket, graph, query.copy(), WANTED, EF, None, None, rescoring.finish(query.copy(), WANTED, passing))
    gc.collect()
    together = dict(taken(pool, len(queries)))
    for ticket, query in enumerate(queries):
        walked, distances, compared, exhausted = graph.search(query, WANTED, EF)
        right, scores = rescoring.nearest(walked, distances, query, WANTED, passing)
        assert len(right) >= WANTED
        alone = graph.search(query, WANTED, EF, finish=rescoring.finish(query, WANTED, passing))
        for found in (alone, together[ticket]):
            assert not isinstance(found, str)
            assert found[0].dtype == np.int64
            assert (found[0].tolist(), found[1].tolist()) == (right.tolist(), scores.tolist())
            assert found[2:] == (compared, exhausted)


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("kept", [WANTED, 25, EF])
def test_of_those_that_are_kept_it_gives_what_comparing_them_gives(filtered: bool, kept: int) -> None:
    rows, links = built("dot")
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    # Other vectors than those that were walked, as with codes that are far off: all that are kept count.
    others = matrix(ROWS, rows.shape[1], np.float32, 5)
    firsts = np.array(range(0, ROWS - 1, 7), np.uint32)
    rescoring = KernelRescoring(others, "dot", firsts, np.array(range(1, len(firsts) + 1), np.uint32), firsts + 1)
    passing = KernelPassing(np.random.default_rng(2).random(ROWS) < 0.5) if filtered else None
    fewer = 0
    for query in matrix(30, rows.shape[1], np.float32, 9):
        finish = rescoring.finish_of(kept, query.copy(), WANTED, passing)
        found, scores, *_ = graph.search(query, WANTED, EF, finish=finish)
        walked, distances, *_ = graph.search(query, WANTED, EF)
        near = rescoring.spread(walked, distances, kept, passing)[0][:kept].astype(np.int64)
        if len(near) < kept:
            assert len(found) == 0
            fewer += 1
            continue
        right, theirs = nearest(others, "dot", query, WANTED, near)
        assert (found.tolist(), scores.tolist()) == (right.tolist(), theirs.tolist())
    assert fewer < 5 or (filtered and kept == EF)


def test_of_a_walk_that_was_cut_short_nothing_comes() -> None:
    rows, links = built("dot")
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    finish = KernelRescoring(rows, "dot", NONE.firsts, NONE.ends, NONE.rows).finish(rows[0].copy(), 1)
    found, scores, _, exhausted = graph.search(rows[0], 1, EF, None, 1, finish)
    assert exhausted
    assert len(found) == len(scores) == 0


def test_what_cannot_be_compared_is_told() -> None:
    rows, links = built("dot")
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    few = KernelRescoring(rows[:2].copy(), "dot", NONE.firsts, NONE.ends, NONE.rows)
    finish = few.finish(rows[ROWS - 1].copy(), 1)
    with pytest.raises(IndexError, match="no such row"):
        graph.search(rows[ROWS - 1], 1, EF, finish=finish)
    pool = KernelPool(1)
    pool.walk(1, graph, rows[ROWS - 1], 1, EF, None, None, finish)
    assert taken(pool, 1) == [(1, "there is no such row")]
    with pytest.raises(IndexError, match="no such row"):
        graph.search(rows[ROWS - 1], 1, EF, finish=few.finish_of(1, rows[ROWS - 1].copy(), 1))
    with pytest.raises(ValueError, match="dim values"):
        few.finish(rows[0, :-1].copy(), 1)
    with pytest.raises(ValueError, match="dim values"):
        few.finish_of(1, rows[0, :-1].copy(), 1)

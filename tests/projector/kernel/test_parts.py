"""Parts that are searched together, some walked and some scanned: beside one by one, on one thread and on several."""

import gc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from projector.kernel import (
    KernelGraph,
    KernelParts,
    KernelPassing,
    KernelPool,
    KernelRescoring,
    KernelSearchCodes,
    encoded,
    nearest,
)
from projector.segments.repeats import Repeats
from tests.projector.kernel.test_kernel import ROWS, built, matrix
from tests.projector.kernel.test_threads import taken

MEASURES = {"dot": "dot", "squared": "euclid"}
NONE = Repeats.none()
EF = 60
Answer = tuple[list[int], list[int], list[float]]


def rescoring_of(rows: NDArray[Any], metric: str) -> KernelRescoring:
    return KernelRescoring(rows, MEASURES[metric], NONE.firsts, NONE.ends, NONE.rows)


def found_in(found: Any) -> Answer:
    return found[0].tolist(), found[1].tolist(), found[2].tolist()


def best_of(every: list[tuple[NDArray[Any], NDArray[np.float32]]], wanted: int, sign: float) -> Answer:
    """The nearest of what was found in parts, by part and row."""
    all_found = [
        (sign * score, number, row, score)
        for number, (rows, scores) in enumerate(every)
        for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
    ]
    last = sorted(all_found)[min(wanted, len(all_found)) - 1][0]
    kept = sorted((number, row, score) for order, number, row, score in all_found if order <= last)
    return [k[0] for k in kept], [k[1] for k in kept], [k[2] for k in kept]


@pytest.mark.parametrize("metric", MEASURES)
@pytest.mark.parametrize("wanted", [1, 7, 40])
@pytest.mark.parametrize("coded", [False, True])
def test_walks_and_scans_together_find_what_each_does(metric: str, wanted: int, coded: bool) -> None:
    rows, links = built(metric)
    measure, sign = MEASURES[metric], -1.0 if metric == "dot" else 1.0
    graph = KernelGraph(rows, metric, links.base, links.upper, links.entry)
    centre = rows.mean(axis=0, dtype=np.float32)
    bytes_, error, length, scale = encoded(rows, centre, measure)
    codes = KernelSearchCodes(bytes_, centre, measure, error, length, scale)
    by_codes = KernelGraph(bytes_, "bytes", links.base, links.upper, links.entry)
    rescoring = rescoring_of(rows, metric)
    passing = KernelPassing(np.random.default_rng(2).random(ROWS) < 0.8)
    # The third part has the rows of the first, all of which are as near in both.
    scanned = [matrix(count, 24, np.float32, 3 + count) for count in (40, 3000)] + [rows[:500]]
    walked = [
        (graph, rescoring, by_codes if coded else None, codes if coded else None, which, wanted, EF)
        for which in (None, passing)
    ]
    parts = KernelParts([(some, None, None) for some in scanned], walked)
    pool = KernelPool(3)
    queries = matrix(20, 24, np.float32, 9)
    for ticket, query in enumerate(queries):
        pool.nearest(ticket, parts, measure, query.copy(), wanted)
    gc.collect()
    together = dict(taken(pool, len(queries), together=True))
    for ticket, query in enumerate(queries):
        every = [nearest(some, measure, query, wanted) for some in scanned]
        compared = 0
        for which in (None, passing):
            prepared = codes.query(query) if coded else None
            finish = rescoring.finish(query, wanted, which, prepared)
            looked_for = query if prepared is None else prepared.bytes
            found, scores, so_many, _ = (by_codes if coded else graph).search(looked_for, wanted, EF, finish=finish)
            every.append((found, scores))
            compared += so_many
        right = best_of(every, wanted, sign)
        for found in (together[ticket], parts.nearest(measure, query, wanted)):
            assert not isinstance(found, str)
            assert found_in(found) == right
            assert found[3:] == (compared, ())


def test_walks_that_find_too_little_are_told() -> None:
    rows, links = built("dot")
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    few = KernelPassing(np.arange(ROWS) < 3)
    rescoring = rescoring_of(rows, "dot")
    parts = KernelParts(
        [(rows[:10], None, None)],
        [(graph, rescoring, None, None, which, 5, EF) for which in (few, None)],
    )
    numbers, *_, unfound = parts.nearest("dot", rows[0], 5)
    assert unfound == ((1, False, None),)
    assert set(numbers.tolist()) <= {0, 2}


def test_what_is_compared_at_most_is_so_of_all_walks_together() -> None:
    rows, links = built("dot")
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    walk = (graph, rescoring_of(rows, "dot"), None, None, None, 1, EF)
    alone = KernelParts([], [walk]).nearest("dot", rows[0], 1)[3]
    parts = KernelParts([], [walk, walk])
    assert parts.nearest("dot", rows[0], 1, 3 * alone)[4] == ()
    assert parts.nearest("dot", rows[0], 1, alone + 1)[4] == ((1, True, None),)
    assert parts.nearest("dot", rows[0], 1, 1)[4] == ((0, True, None), (1, True, None))


def test_a_damaged_graph_is_told_and_others_are_walked() -> None:
    rows, links = built("dot")
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    base = links.base.copy()
    base[:, 1:] = ROWS
    damaged = KernelGraph(rows, "dot", base, [], 0)
    rescoring, other = rescoring_of(rows, "dot"), rescoring_of(rows[:, :23], "dot")
    walks = [(each, rescoring, None, None, None, 3, EF) for each in (damaged, graph)]
    parts = KernelParts([], walks)
    pool = KernelPool(2)
    pool.nearest(1, parts, "dot", rows[5], 3)
    for found in (dict(taken(pool, 1, together=True))[1], parts.nearest("dot", rows[5], 3)):
        assert not isinstance(found, str)
        assert found[4] == ((0, False, "a link leads to no row"),)
        assert set(found[0].tolist()) == {1}
    with pytest.raises(ValueError, match="rows that are compared"):
        KernelParts([], [(graph, other, None, None, None, 3, EF)])
    with pytest.raises(ValueError, match="dim values"):
        parts.nearest("dot", rows[5, :-1].copy(), 3)
    with pytest.raises(ValueError, match="one measure"):
        parts.nearest("euclid", rows[5], 3)
    with pytest.raises(ValueError, match="what it was made for"):
        KernelParts(
            [],
            [
                (graph, rescoring, graph, None, None, 3, EF),
                (
                    KernelGraph(np.zeros((ROWS, 32), np.uint8), "bytes", links.base, links.upper, links.entry),
                    rescoring,
                    None,
                    None,
                    None,
                    3,
                    EF,
                ),
            ],
        )


def test_repeats_stand_beside_their_first_rows() -> None:
    rows, links = built("dot")
    twice = np.concatenate([rows, rows[:100]])
    repeats = Repeats(
        np.arange(100, dtype=np.uint32),
        np.arange(1, 101, dtype=np.uint32),
        np.arange(ROWS, ROWS + 100, dtype=np.uint32),
    )
    base = np.concatenate([links.base, np.zeros((100, links.base.shape[1]), np.uint32)])
    graph = KernelGraph(twice, "dot", base, links.upper, links.entry)
    rescoring = KernelRescoring(twice, "dot", repeats.firsts, repeats.ends, repeats.rows)
    numbers, found, scores, *_ = KernelParts([], [(graph, rescoring, None, None, None, 1, 200)]).nearest(
        "dot", rows[3] * np.float32(9), 1
    )
    right, best = nearest(twice, "dot", rows[3] * np.float32(9), 1)
    assert (found.tolist(), scores.tolist()) == (right.tolist(), best.tolist())
    assert numbers.tolist() == [0] * len(right)


def test_codes_of_another_measure_are_refused() -> None:
    rows, links = built("dot")
    centre = rows.mean(axis=0, dtype=np.float32)
    bytes_, error, length, scale = encoded(rows, centre, "euclid")
    codes = KernelSearchCodes(bytes_, centre, "euclid", error, length, scale)
    with pytest.raises(ValueError, match="codes are of the measure"):
        KernelParts([(rows, None, codes)]).nearest("dot", rows[0], 3)
    graph = KernelGraph(rows, "dot", links.base, links.upper, links.entry)
    by_codes = KernelGraph(bytes_, "bytes", links.base, links.upper, links.entry)
    with pytest.raises(ValueError, match="codes are of the measure"):
        KernelParts([], [(graph, rescoring_of(rows, "dot"), by_codes, codes, None, 3, EF)])


def test_what_is_searched_stays_while_it_is() -> None:
    """Nothing else refers to it then, as when view and segment go away meanwhile."""
    right = parts_alone().nearest("dot", matrix(1, 24, np.float32, 9)[0], 7)
    pool = KernelPool(2)
    for ticket in range(20):
        pool.nearest(ticket, parts_alone(), "dot", matrix(1, 24, np.float32, 9)[0], 7)
        gc.collect()
    for _, found in taken(pool, 20, together=True):
        assert not isinstance(found, str)
        assert found_in(found) == found_in(right)


def parts_alone() -> KernelParts:
    """Of copies that they alone refer to, with and without codes, slots and dead rows."""
    rows, links = built("dot")
    mine, base = rows.copy(), links.base.copy()
    centre = mine.mean(axis=0, dtype=np.float32)
    bytes_, error, length, scale = encoded(mine, centre, "dot")
    codes = KernelSearchCodes(bytes_, centre, "dot", error, length, scale)
    graph = KernelGraph(mine, "dot", base, [], links.entry)
    by_codes = KernelGraph(bytes_, "bytes", base, [], links.entry)
    slots = np.arange(0, 2 * ROWS, 2, dtype=np.uint32)
    passing = KernelPassing(np.random.default_rng(2).integers(0, 9, 2 * ROWS).astype(np.uint64), 3, slots)
    rescoring = rescoring_of(mine, "dot")
    few = np.flatnonzero(np.random.default_rng(3).random(ROWS) < 0.1)
    return KernelParts(
        [(rows.copy(), None, codes), (rows.copy(), few, None)],
        [(graph, rescoring, by_codes, codes, passing, 7, EF), (graph, rescoring, None, None, None, 7, EF)],
    )

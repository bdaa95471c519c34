"""Walks beside the textbook's, with two heaps: whatever the kernel keeps, it compares and finds the same rows."""

from heapq import heappop, heappush
from math import ceil, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.kernel import DamagedGraphError, KernelGraph, distances

Floats = NDArray[np.float32]
Links = NDArray[np.uint32]


def expected(
    distance: Floats, links: Links, wanted: int, ef: int, allowed: NDArray[np.bool_] | None, budget: int
) -> tuple[list[int], int, bool]:
    """What a walk from row 0 finds and compares, and whether it was given up. ``distance``: of each row."""
    most = ef = max(ef, wanted)
    first = (float(distance[0]), 0)
    met, compared, exhausted = {0}, 1, False
    ahead = [first]
    kept = [first] if allowed is None or allowed[0] else []
    passed, asked = len(kept), allowed is None
    while ahead and not (len(kept) >= most and kept[most - 1] < ahead[0]):
        if compared > budget:
            exhausted = True
            break
        if not asked and compared >= 0.3 * budget:
            asked = True
            if allowed is not None and passed * len(allowed) < 0.8 * np.count_nonzero(allowed) * len(met):
                exhausted = True
                break
        _, row = heappop(ahead)
        fresh = list(dict.fromkeys(link for link in links[row, 1 : 1 + links[row, 0]].tolist() if link not in met))
        met.update(fresh)
        compared += len(fresh)
        for found in [(float(distance[link]), link) for link in fresh]:
            may = allowed is None or bool(allowed[found[1]])
            passed += may
            if len(kept) >= most and found > kept[most - 1]:
                continue
            heappush(ahead, found)
            if may:
                kept = sorted([*kept, found])[:most]
        if allowed is not None:
            share = (passed + 1) / (len(met) + 1)
            most = max(wanted, ceil(ef * min(2.4 * sqrt(share), 2.4 - 1.4 * share)))
            kept = kept[:most]
    return [row for _, row in kept], compared, exhausted


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Floats, Links]:
    """Rows with few distances among them, so that many are equal, and links at random, repeated ones among them."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 20)))
    rows, most = draw(st.integers(1, 300)), draw(st.integers(1, 40))
    vectors = rng.integers(0, draw(st.sampled_from([2, 4, 1000])), (rows, 3)).astype(np.float32)
    links = rng.integers(0, rows, (rows, 1 + most), np.uint32)
    links[:, 0] = rng.integers(0, most + 1, rows)
    return vectors, links


@given(
    graph=graphs(),
    wanted=st.integers(1, 20),
    ef=st.sampled_from([1, 2, 3, 7, 8, 50, 400, 1024, 1025]),
    share=st.sampled_from([None, 0.0, 0.2, 0.7, 1.0]),
    budget=st.sampled_from([0, 5, 100, 1 << 40]),
)
@settings(max_examples=300, deadline=None)
def test_a_walk_is_the_textbooks(
    graph: tuple[Floats, Links], wanted: int, ef: int, share: float | None, budget: int
) -> None:
    vectors, links = graph
    query = np.full(3, 1.25, np.float32)
    allowed = None if share is None else np.random.default_rng(3).random(len(vectors)) < share
    kernel = KernelGraph(vectors, "squared", links, [], 0)
    found, theirs, compared, exhausted = kernel.search(query, wanted, ef, allowed, budget)
    distance = distances(vectors, "squared", query)
    assert (found.tolist(), compared, exhausted) == expected(distance, links, wanted, ef, allowed, budget)
    assert theirs.tolist() == distance[found].tolist()


@pytest.mark.parametrize("metric", ["dot", "squared"])
@given(graph=graphs(), ef=st.integers(1, 300), odd=st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 3e38]))
@settings(max_examples=60, deadline=None)
def test_one_list_is_as_two_heaps(metric: str, graph: tuple[Floats, Links], ef: int, odd: float) -> None:
    vectors, links = graph
    vectors[:: len(vectors) // 3 + 1] = odd
    query = np.array([-1, 0.5, 3], np.float32)
    kernel = KernelGraph(vectors, metric, links, [], 0)
    listed = kernel.search(query, 1, ef)
    heaps = kernel.search(query, 1, ef, np.ones(len(vectors), np.bool_))
    assert (listed[0].tolist(), *listed[2:]) == (heaps[0].tolist(), *heaps[2:])
    assert np.array_equal(listed[1], heaps[1], equal_nan=True)
    known = listed[1][~np.isnan(listed[1])]
    assert known.tolist() == sorted(known.tolist())
    assert np.isnan(listed[1][len(known) :]).all()


def test_links_are_checked_wherever_they_are_followed() -> None:
    vectors = np.zeros((3, 2), np.float32)
    for row, links in ((1, [1, 3]), (1, [3, 0]), (0, [2**32 - 1, 0])):
        damaged = np.array([[1, 1, 0], [1, 2, 0], [0, 0, 0]], np.uint32)
        damaged[row, :2] = links
        with pytest.raises(DamagedGraphError):
            KernelGraph(vectors, "squared", damaged, [], 0).search(vectors[0], 1, 10)


def test_a_thread_may_walk_any_number_of_times() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((40, 3)).astype(np.float32)
    links = np.concatenate([np.full((40, 1), 4, np.uint32), rng.integers(0, 40, (40, 4), np.uint32)], axis=1)
    graphs = [KernelGraph(vectors[:size], "squared", links[:size] % size, [], 0) for size in (7, 40)]
    first = [graph.search(vectors[3], 3, 20) for graph in graphs]
    for number in range(700):
        again = graphs[number % 2].search(vectors[3], 3, 20)
        assert (again[0].tolist(), again[2]) == (first[number % 2][0].tolist(), first[number % 2][2])

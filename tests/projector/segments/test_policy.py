"""What is built next, as tables."""

from dataclasses import replace

import pytest

from projector.segments.policy import (
    MAX_PLAIN_SEGMENTS,
    MOST_SECONDS,
    SCANNED_BYTES,
    SCANNED_ROWS,
    SEAL_BYTES,
    SEAL_ROWS,
    Plan,
    SegmentFacts,
    TailFacts,
    is_up_to_date,
    plan_graph,
    plan_plain,
    seal_due,
)
from schemas.config import CollectionConfig, Distance, HnswConfig, OptimizersConfig, VectorParams

ROW = 400
THRESHOLD_ROWS = 10_000 * 1024 // ROW
"""Rows of 100 float32 values in an indexing_threshold of 10000 kB."""
SCANNED_ROWS_AT_LEAST = -(-SCANNED_BYTES // ROW)
BUSY, REST = TailFacts(rows=10, age=1, quiet=0, pace=50_000), TailFacts(quiet=100)
TRICKLE = TailFacts(rows=10, age=1, quiet=0, pace=500)


def config(distance: Distance = Distance.COSINE, m: int = 16, **optimizers: float | None) -> CollectionConfig:
    return CollectionConfig(
        vectors={"": VectorParams(size=ROW // 4, distance=distance)},
        hnsw=HnswConfig(m=m),
        optimizers=OptimizersConfig(**optimizers),  # pyright: ignore[reportArgumentType]
    )


def plain(name: str, slots: int, dead: int = 0) -> SegmentFacts:
    return SegmentFacts(name, slots, dead)


def graph(name: str, slots: int, dead: int = 0) -> SegmentFacts:
    return SegmentFacts(name, slots, dead, graph=True)


def plains(count: int, slots: int) -> list[SegmentFacts]:
    return [plain(f"p{i}", slots) for i in range(count)]


@pytest.mark.parametrize(
    ("tail", "due"),
    [
        (TailFacts(), False),
        (TailFacts(age=1000), False),
        (TailFacts(rows=1, age=4.9), False),
        (TailFacts(rows=1, age=5), True),
        (TailFacts(deaths=1, age=5), True),
        (TailFacts(rows=SEAL_ROWS - 1, age=0), False),
        (TailFacts(rows=SEAL_ROWS, age=0), True),
        (TailFacts(rows=10, bytes=SEAL_BYTES, age=0), True),
    ],
)
def test_when_the_tail_is_sealed(tail: TailFacts, due: bool) -> None:
    assert seal_due(tail, OptimizersConfig()) is due
    assert plan_plain([], tail, config()) == (Plan(seal=True) if due else None)


def test_the_flush_interval_is_the_configurations() -> None:
    tail = TailFacts(rows=1, age=20)
    assert seal_due(tail, OptimizersConfig(flush_interval_sec=20))
    assert not seal_due(tail, OptimizersConfig(flush_interval_sec=21))


@pytest.mark.parametrize(
    ("rows", "tail", "sealed"),
    [
        (THRESHOLD_ROWS, TailFacts(rows=5, age=3, quiet=3), True),
        (THRESHOLD_ROWS - 5, TailFacts(rows=5, age=3, quiet=3), True),
        (THRESHOLD_ROWS - 6, TailFacts(rows=5, age=3, quiet=3), False),
        (THRESHOLD_ROWS, TailFacts(rows=5, age=3, quiet=2.9), False),
        (THRESHOLD_ROWS, TailFacts(deaths=5, age=3, quiet=3), False),
    ],
)
def test_at_rest_a_tail_that_a_graph_waits_for_is_sealed_at_once(rows: int, tail: TailFacts, sealed: bool) -> None:
    assert plan_plain([plain("a", rows)], tail, config()) == (Plan(seal=True) if sealed else None)


@pytest.mark.parametrize(("rows", "sealed"), [(SCANNED_ROWS_AT_LEAST - 5, True), (SCANNED_ROWS_AT_LEAST - 6, False)])
def test_beside_a_graph_a_tail_is_sealed_at_once_where_a_small_graph_waits_for_it(rows: int, sealed: bool) -> None:
    at_rest = TailFacts(rows=5, age=3, quiet=3)
    plan = plan_plain([graph("g", 10 * THRESHOLD_ROWS), plain("a", rows)], at_rest, config())
    assert plan == (Plan(seal=True) if sealed else None)


def test_where_no_graph_is_to_be_built_a_tail_is_sealed_when_it_is_old_enough() -> None:
    at_rest = TailFacts(rows=5, age=3, quiet=3)
    for other in (config(indexing_threshold=0), config(flush_interval_sec=3600), config(Distance.MANHATTAN)):
        assert plan_plain([plain("a", THRESHOLD_ROWS)], at_rest, other) is None


def test_a_long_flush_interval_holds_the_feed_back_for_a_minute_only() -> None:
    patient = OptimizersConfig(flush_interval_sec=86_400)
    assert not seal_due(TailFacts(rows=1, age=MOST_SECONDS - 1), patient)
    assert seal_due(TailFacts(rows=1, age=MOST_SECONDS), patient)
    assert seal_due(TailFacts(deaths=1, age=MOST_SECONDS), patient)


def test_plain_segments_are_merged_with_the_tail_when_there_are_too_many() -> None:
    tail = TailFacts(rows=100, age=6)
    few, many = plains(MAX_PLAIN_SEGMENTS - 1, 50), plains(MAX_PLAIN_SEGMENTS, 50)
    assert plan_plain(few, tail, config()) == Plan(seal=True)
    assert plan_plain(many, tail, config()) == Plan(tuple(s.name for s in many), seal=True)


def test_large_plain_segments_are_left_alone_by_small_ones() -> None:
    large = plain("large", 1_000_000)
    segments = [large, *plains(MAX_PLAIN_SEGMENTS, 2000)]
    plan = plan_plain(segments, TailFacts(rows=SEAL_ROWS), config(indexing_threshold=0))
    assert plan is not None
    assert plan.seal
    assert "large" not in plan.segments
    assert len(plan.segments) == MAX_PLAIN_SEGMENTS


def test_merging_goes_on_although_no_two_sizes_are_alike() -> None:
    segments = [plain(f"p{i}", 1000 * 10**i) for i in range(MAX_PLAIN_SEGMENTS + 1)]
    plan = plan_plain(segments, BUSY, config(indexing_threshold=0, max_segment_size=10**18))
    assert plan == Plan(("p0", "p1"))


def test_at_rest_small_segments_become_one() -> None:
    assert plan_plain(plains(3, 100), REST, config()) == Plan(("p0", "p1", "p2"))
    assert plan_plain(plains(3, 100), BUSY, config()) is None
    assert plan_plain([plain("a", 20_000), plain("b", 5)], REST, config()) is None


def test_merges_respect_the_largest_size() -> None:
    limited = config(indexing_threshold=0, max_segment_size=1000)
    rows = 1000 * 1024 // ROW
    assert plan_plain([plain("a", rows - 10), plain("b", 20)], REST, limited) is None
    assert plan_plain([plain("a", rows - 30), plain("b", 20)], REST, limited) == Plan(("b", "a"))


@pytest.mark.parametrize(
    ("slots", "dead", "due"),
    [(1000, 201, True), (1000, 200, False), (999, 900, False), (999, 999, True), (0, 0, True), (10_000, 2001, True)],
)
def test_what_is_vacuumed(slots: int, dead: int, due: bool) -> None:
    for tail in (TRICKLE, REST):
        assert plan_plain([plain("a", slots, dead)], tail, config()) == (Plan(("a",)) if due else None)
        found = plan_graph([graph("a", slots, dead)], tail, config())
        assert found == (Plan(("a",)) if due else None)


@pytest.mark.parametrize(
    ("dead", "threshold", "due"),
    [(500, 0.2, False), (501, 0.2, True), (600, 0.6, False), (601, 0.6, True), (1000, 1.0, True)],
)
def test_what_is_vacuumed_while_changes_come_quickly(dead: int, threshold: float, due: bool) -> None:
    asked = config(deleted_threshold=threshold)
    assert plan_plain([plain("a", 1000, dead)], BUSY, asked) == (Plan(("a",)) if due else None)
    assert plan_graph([graph("a", 1000, dead)], BUSY, asked) == (Plan(("a",)) if due else None)


def test_what_waits_to_be_vacuumed_is_not_up_to_date() -> None:
    worn = [graph("a", 100_000, 30_000)]
    assert plan_graph(worn, BUSY, config()) is None
    assert not is_up_to_date(worn, BUSY, config())


def test_plain_segments_are_vacuumed_together_as_far_as_they_fit() -> None:
    worn = [plain("a", 2000, 1500), plain("b", 2000), plain("c", 2000, 1800), plain("d", 3000, 3000)]
    assert plan_plain(worn, TRICKLE, config()) == Plan(("a", "c", "d"))
    limited = config(indexing_threshold=0, max_segment_size=600 * ROW // 1024)
    assert plan_plain(worn, TRICKLE, limited) == Plan(("a", "d"))


def test_a_vacuumed_graph_segment_keeps_its_graph_when_it_is_large_enough() -> None:
    assert plan_graph([graph("a", 100_000, 30_000)], TRICKLE, config()) == Plan(("a",), graph=True)


@pytest.mark.parametrize(
    ("rows", "tail", "due"),
    [
        (THRESHOLD_ROWS, REST, True),
        (THRESHOLD_ROWS - 1, REST, False),
        (THRESHOLD_ROWS, TRICKLE, True),
        (THRESHOLD_ROWS - 1, TRICKLE, False),
        (8 * THRESHOLD_ROWS - 1, TailFacts(rows=10, age=3, quiet=2, pace=500), False),
        (THRESHOLD_ROWS, BUSY, False),
        (8 * THRESHOLD_ROWS, BUSY, True),
        (THRESHOLD_ROWS, TailFacts(rows=5, age=3, quiet=4), False),
    ],
)
def test_when_the_first_graph_is_built(rows: int, tail: TailFacts, due: bool) -> None:
    segments = [plain("a", rows // 2), plain("b", rows - rows // 2)]
    plan = plan_graph(segments, tail, config())
    assert (plan is not None) is due
    if plan is not None:
        assert plan.graph
        assert sorted(plan.segments) == ["a", "b"]
        assert not plan.seal


def test_when_the_tail_is_hardly_ever_sealed_graphs_do_not_wait_for_it() -> None:
    patient = config(flush_interval_sec=3600)
    assert plan_graph([plain("a", THRESHOLD_ROWS)], TailFacts(rows=5, quiet=4), patient) is not None


def test_a_large_graph_is_not_built_again_for_little() -> None:
    segments = [graph("g", 1_000_000), plain("p", 2 * THRESHOLD_ROWS)]
    assert plan_graph(segments, REST, config()) == Plan(("p",), graph=True)
    assert plan_graph([graph("g", 100_000), plain("p", 40_000)], REST, config()) == Plan(("p", "g"), graph=True)
    assert plan_graph([graph("g", 1_000_000), graph("h", 60_000)], REST, config()) is None
    assert plan_graph([graph("g", 100_000), graph("h", 60_000)], REST, config()) == Plan(("h", "g"), graph=True)
    assert plan_graph([graph("g", 100_000), graph("h", 60_000)], BUSY, config()) is None


def test_while_changes_come_graphs_wait_for_a_third_of_what_they_hold() -> None:
    held = [graph("g", 3_000_000)]
    assert plan_graph([*held, plain("p", 900_000)], BUSY, config()) is None
    plan = plan_graph([*held, plain("p", 1_100_000)], BUSY, config())
    assert plan is not None
    assert "p" in plan.segments


@pytest.mark.parametrize("tail", [TRICKLE, REST])
def test_beside_a_graph_a_few_thousand_points_get_one_of_their_own(tail: TailFacts) -> None:
    rows = SCANNED_BYTES // ROW + 1
    big = graph("g", 1_000_000)
    assert plan_graph([big, plain("p", rows - 2)], tail, config()) is None
    assert plan_graph([big, plain("p", rows)], tail, config()) == Plan(("p",), graph=True)
    assert plan_graph([plain("q", rows), plain("p", rows)], tail, config()) is None


def test_a_bulk_load_beside_a_graph_builds_no_small_ones() -> None:
    assert plan_graph([graph("g", 1_000_000), plain("p", 8 * THRESHOLD_ROWS)], BUSY, config()) is None


def test_small_graphs_are_merged_by_tiers_with_what_comes() -> None:
    small = [graph("g", 1_000_000), graph("h", 11_000), plain("p", 11_000)]
    assert plan_graph(small, TRICKLE, config()) == Plan(("p", "h"), graph=True)


def test_a_small_graph_that_is_vacuumed_stays_one_beside_others() -> None:
    worn = graph("h", 22_000, 11_000)
    assert plan_graph([graph("g", 1_000_000), worn], TRICKLE, config()) == Plan(("h",), graph=True)
    assert plan_graph([plain("g", 1000), worn], TRICKLE, config()) == Plan(("h",))


def test_however_large_a_row_is_a_graph_of_its_own_takes_some() -> None:
    wide = CollectionConfig(vectors={"": VectorParams(size=400, distance=Distance.COSINE)})
    big = graph("g", 1_000_000)
    assert plan_graph([big, plain("p", SCANNED_ROWS - 1)], REST, wide) is None
    assert plan_graph([big, plain("p", SCANNED_ROWS)], REST, wide) == Plan(("p",), graph=True)


def test_as_many_segments_as_are_asked_for() -> None:
    two = config(default_segment_number=2)
    assert plan_graph([graph("g", 100_000), graph("h", 60_000)], REST, two) is None
    plan = plan_graph(plains(4, 100_000), REST, two)
    assert plan == Plan(("p0", "p1"), graph=True)
    left = [graph("g", 200_000), plain("p2", 100_000), plain("p3", 100_000)]
    assert plan_graph(left, REST, two) == Plan(("p2", "p3"), graph=True)


def test_no_graph_is_larger_than_the_configuration_allows() -> None:
    limited = config(max_segment_size=100_000)
    rows = 100_000 * 1024 // ROW
    plan = plan_graph([graph("g", rows // 2), plain("a", rows // 2), plain("b", rows // 3)], REST, limited)
    assert plan == Plan(("a", "b"), graph=True)


@pytest.mark.parametrize(
    "without",
    [config(indexing_threshold=0), config(m=0), config(Distance.MANHATTAN), config(max_optimization_threads=0)],
    ids=["threshold", "m", "manhattan", "threads"],
)
def test_when_there_are_no_graphs(without: CollectionConfig) -> None:
    segments = plains(4, 100_000)
    assert plan_graph(segments, REST, without) is None
    assert plan_plain(segments, REST, without) is not None
    assert is_up_to_date(segments, TailFacts(rows=10**6), without)


def test_stale_graphs_are_built_again() -> None:
    stale = replace(graph("g", 100_000), stale=True)
    assert plan_graph([stale], BUSY, config()) == Plan(("g",), graph=True)
    assert plan_graph([stale], BUSY, config(m=0)) == Plan(("g",))
    assert not is_up_to_date([stale], TailFacts(), config())


def test_a_segment_gets_columns_that_are_due_when_nothing_presses_more() -> None:
    bare = replace(graph("g", 100_000), bare=True)
    assert plan_plain([bare, bare], BUSY, config()) == Plan(("g",), columns=True)
    assert plan_plain([bare], TailFacts(rows=10**6), config()) == Plan(seal=True)
    assert plan_plain([replace(bare, busy=True)], BUSY, config()) is None
    assert (
        plan_plain([replace(bare, stale=True)], BUSY, config()) is None
    )  # its graphs are built anew, columns with them
    without = config(max_optimization_threads=0)
    assert plan_plain([replace(bare, stale=True)], BUSY, without) == Plan(("g",), columns=True)
    assert not is_up_to_date([bare], TailFacts(), config())


def test_what_a_running_build_takes_in_is_left_alone() -> None:
    busy = [replace(s, busy=True) for s in plains(30, 100_000)]
    assert plan_graph(busy, REST, config()) is None
    assert plan_plain(busy, REST, config()) is None


@pytest.mark.parametrize(
    ("segments", "tail", "settled"),
    [
        ([], TailFacts(), True),
        ([plain("p", THRESHOLD_ROWS - 1)], TailFacts(), True),
        ([plain("p", THRESHOLD_ROWS)], TailFacts(), False),
        ([plain("p", THRESHOLD_ROWS // 2)], TailFacts(rows=THRESHOLD_ROWS), False),
        ([graph("g", 10 * THRESHOLD_ROWS)], TailFacts(rows=100), True),
    ],
)
def test_settled_is_when_no_graph_is_missing(segments: list[SegmentFacts], tail: TailFacts, settled: bool) -> None:
    assert is_up_to_date(segments, tail, config()) is settled


def test_a_bulk_load_ends_at_rest_with_few_graphs_built_twice() -> None:
    """One million points in seals of ten thousand, a graph build being as slow as ten seals."""
    segments: list[SegmentFacts] = []
    inserted = number = 0
    running: tuple[Plan, int] | None = None
    for step in range(400):
        loading = step < 100
        tail = TailFacts(rows=SEAL_ROWS, pace=50_000) if loading else REST
        plan = plan_plain(segments, tail, config())
        if plan is not None:
            rows = sum(s.alive for s in segments if s.name in plan.segments) + (tail.rows if plan.seal else 0)
            segments = [s for s in segments if s.name not in plan.segments] + [plain(f"s{number}", rows)]
            number += 1
        if running is None:
            wanted = plan_graph(segments, tail, config())
            if wanted is not None:
                running = (wanted, step + 10)
                segments = [replace(s, busy=s.name in wanted.segments) for s in segments]
        elif running[1] <= step:
            done = running[0]
            rows = sum(s.alive for s in segments if s.name in done.segments)
            segments = [s for s in segments if s.name not in done.segments] + [graph(f"s{number}", rows)]
            inserted += rows
            number += 1
            running = None
    assert sum(s.alive for s in segments) == 1_000_000
    assert all(s.graph or s.alive < THRESHOLD_ROWS for s in segments)
    assert len(segments) <= 3
    assert inserted <= 2_500_000

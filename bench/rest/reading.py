"""Reads that are no searches: counting what passes a filter, and going through everything."""

from bench.raw_http import timed
from bench.rest import engine, goals
from bench.rest.stage import Stage
from bench.rest.turns import in_turns
from bench.results import percentile_ms
from bench.word_vectors import progress
from bench.workload import FIELD_VALUES, answered_results, count_requests, scroll_requests

COUNTS = 200
COUNTED = FIELD_VALUES // 10
"""Values that pass: a tenth."""
PAGE = 1000
PAGES_A_TURN = 20


def count(stage: Stage) -> None:
    """With a range that a tenth of the points pass, another each time."""
    progress("counting")
    starts = [at * (FIELD_VALUES - COUNTED) // COUNTS for at in range(COUNTS)]
    ranges = [(start, start + COUNTED) for start in starts]
    requests, asked = count_requests(ranges), engine.counts(ranges)
    ours, theirs = in_turns(COUNTS, stage.over_rest(requests), lambda part: stage.engine.count(asked[part]))
    counts = [int(((stage.work.numbers >= start) & (stage.work.numbers < end)).sum()) for start, end in ranges]
    if [result["count"] for result in answered_results(ours[1])] != counts or theirs[1] != counts:
        raise AssertionError("miscounted")
    group = "count, 10 % pass"
    measured = [percentile_ms(seconds, 50) for seconds, _ in (ours, theirs)]
    stage.results.aim(group, "p50", measured[0], "ms", goals.COUNT_P50, engine=measured[1])
    measured = [percentile_ms(seconds, 99) for seconds, _ in (ours, theirs)]
    stage.results.add(group, "p99", measured[0], "ms", engine=measured[1])


def scroll(stage: Stage) -> None:
    """Everything by id with its payload, a page of 1000 after the other."""
    progress("scrolling")
    size = stage.work.size
    requests, asked = scroll_requests(size, PAGE), engine.pages(size, PAGE)
    timed(stage.server.port, requests[:3])
    ours, theirs = in_turns(
        len(requests), stage.over_rest(requests), lambda part: stage.engine.scroll(asked[part]), turn=PAGES_A_TURN
    )
    seen = [point["id"] for page in answered_results(ours[1]) for point in page["points"]]
    if seen != list(range(size)) or [number for page in theirs[1] for number in page] != seen:
        raise AssertionError("not every point once")
    group = f"scroll, pages of {PAGE}"
    rates = [size / sum(seconds) for seconds, _ in (ours, theirs)]
    stage.results.aim_above(group, "everything", rates[0], "points/s", goals.SCROLLED_PER_SECOND, engine=rates[1])
    p99 = [percentile_ms(seconds, 99) for seconds, _ in (ours, theirs)]
    stage.results.add(group, "a page, p99", p99[0], "ms", engine=p99[1])

"""Searches with a filter that more or less points pass, at the least ef that finds what is aimed at."""

from dataclasses import replace

from bench import peers
from bench.raw_http import timed
from bench.rest import engine, goals
from bench.rest.stage import EFS, Stage
from bench.rest.turns import in_turns, least_reaching
from bench.results import percentile_ms
from bench.word_vectors import progress
from bench.workload import FIELD_VALUES, exact_ids, found_ids, recall, search_requests

QUERIES = 300
TRIED = 100
"""Queries for finding the ef of Qdrant's engine."""


def filtered(stage: Stage) -> None:
    """A range of a number; the peer is an exact search over the points that pass with numpy."""
    for share in goals.FILTERED_P50:
        _measure(stage, share)


def _measure(stage: Stage, share: float) -> None:
    progress(f"searching among {share:.1%}")
    below = round(share * FIELD_VALUES)
    passing = stage.work.numbers < below
    queries = stage.work.queries[:QUERIES]
    right = exact_ids(replace(stage.work, queries=queries), passing)

    def our_recall(ef: int) -> float:
        _, bodies = timed(stage.server.port, search_requests(queries, ef, below))
        return recall(found_ids(bodies), right)

    def engine_recall(ef: int) -> float:
        _, found = stage.engine.query(engine.queries(queries[:TRIED], ef, below))
        return recall(found, right[:TRIED])

    ef, reached = least_reaching(goals.FILTERED_RECALL, EFS, our_recall)
    engine_ef, _ = least_reaching(goals.FILTERED_RECALL, EFS, engine_recall)
    asked = engine.queries(queries, engine_ef, below)
    ours, peer, theirs = in_turns(
        len(asked),
        stage.over_rest(search_requests(queries, ef, below)),
        peers.gathered_scan(stage.work, passing, every=3),
        lambda part: stage.engine.query(asked[part]),
    )
    group, most = f"filtered, {share:.1%} pass", goals.FILTERED_P50[share]
    mine, scanned, engines = (percentile_ms(seconds, 50) for seconds, _ in (ours, peer, theirs))
    stage.results.aim(group, "p50", mine, "ms", most, scanned, engines, valid=reached >= goals.FILTERED_RECALL)
    mine, scanned, engines = (percentile_ms(seconds, 99) for seconds, _ in (ours, peer, theirs))
    stage.results.add(group, "p99", mine, "ms", scanned, engines)
    stage.results.add(group, "recall@10", recall(found_ids(ours[1]), right), "", 1.0, recall(theirs[1], right))
    stage.results.add(group, "ef", ef, "", engine=engine_ef)

"""Searches without a filter, one at a time: at several ef, at the ef that finds what is aimed at, and exact."""

from dataclasses import replace

from bench import peers
from bench.raw_http import timed
from bench.rest import engine, goals
from bench.rest.stage import EFS, Stage
from bench.rest.turns import in_turns, least_reaching
from bench.results import percentile_ms
from bench.word_vectors import progress
from bench.workload import exact_ids, found_ids, recall, search_requests

WARM_UP = 100
TRIED = 300
"""Queries for finding the ef of Qdrant's engine."""
EXACT_QUERIES = 60


def search(stage: Stage) -> None:
    """At several ef; the peer is the bare graph at the same."""
    right = exact_ids(stage.work)
    recalls: dict[int, float] = {}
    peer_recalls: dict[int, float] = {}
    for ef in EFS:
        progress(f"searching at ef {ef}")
        requests = search_requests(stage.work.queries, ef)
        timed(stage.server.port, requests[:WARM_UP])
        ours, peer = in_turns(len(requests), stage.over_rest(requests), stage.graph_at(ef))
        group = f"search, ef {ef}"
        for percent in (50, 95, 99):
            mine, theirs = (percentile_ms(seconds, percent) for seconds, _ in (ours, peer))
            stage.results.add(group, f"p{percent}", mine, "ms", theirs)
        recalls[ef], peer_recalls[ef] = recall(found_ids(ours[1]), right), recall(peer[1], right)
        stage.results.add(group, "recall@10", recalls[ef], "", peer_recalls[ef])
    stage.ef, reached = least_reaching(goals.RECALL, EFS, recalls.__getitem__)
    peer_ef, peer_reached = least_reaching(goals.RECALL, EFS, peer_recalls.__getitem__)

    def engine_recall(ef: int) -> float:
        _, found = stage.engine.query(engine.queries(stage.work.queries[:TRIED], ef))
        return recall(found, right[:TRIED])

    engine_ef, _ = least_reaching(goals.RECALL, EFS, engine_recall)
    progress(f"searching at recall {goals.RECALL}")
    asked = engine.queries(stage.work.queries, engine_ef)
    ours, peer, theirs = in_turns(
        len(asked),
        stage.over_rest(search_requests(stage.work.queries, stage.ef)),
        stage.graph_at(peer_ef),
        lambda part: stage.engine.query(asked[part]),
    )
    group = f"search at recall {goals.RECALL}"
    for percent, most in ((50, goals.SEARCH_P50), (99, goals.SEARCH_P99)):
        mine, bare, engines = (percentile_ms(seconds, percent) for seconds, _ in (ours, peer, theirs))
        stage.results.aim(group, f"p{percent}", mine, "ms", most, bare, engines, valid=reached >= goals.RECALL)
    stage.results.add(group, "recall@10", recall(found_ids(ours[1]), right), "", peer_reached, recall(theirs[1], right))
    stage.results.add(group, "ef", stage.ef, "", peer_ef, engine_ef)


def exact(stage: Stage) -> None:
    """Of all points; the peer is a matrix product with numpy. Whatever is not exactly right is an error."""
    progress("searching exactly")
    queries = stage.work.queries[:EXACT_QUERIES]
    requests, asked = search_requests(queries, None), engine.queries(queries, None)
    timed(stage.server.port, requests[:5])
    ours, peer, theirs = in_turns(
        len(requests),
        stage.over_rest(requests),
        peers.scan(stage.work),
        lambda part: stage.engine.query(asked[part]),
        turn=20,
    )
    mine, scanned, engines = (percentile_ms(seconds, 50) for seconds, _ in (ours, peer, theirs))
    right = exact_ids(replace(stage.work, queries=queries))
    found = recall(found_ids(ours[1]), right)
    stage.results.aim("exact search", "p50", mine, "ms", goals.EXACT_P50, scanned, engines)
    stage.results.add("exact search", "recall@10", found, "", recall(peer[1], right), recall(theirs[1], right))

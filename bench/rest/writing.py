"""Writes: one point at a time; and searches while points come, a few or many a second."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from bench import peers
from bench.raw_http import lasting, repeated, throughput, timed
from bench.rest import engine, goals
from bench.rest.paced import Pace, PacedWriter
from bench.rest.stage import Stage
from bench.rest.turns import in_turns
from bench.results import percentile_ms
from bench.word_vectors import progress
from bench.workload import rounded_row, search_requests, upsert_requests, write_requests
from tests.support.launching import new_interpreter
from tests.support.server import Server

UPSERTS = 1000
WARMING = 300
"""Searches before others are measured, in a server that has just been started."""
TRICKLE = Pace(50, 10)
TRICKLED = 20_000
"""Points, or a tenth of what is loaded where that is less."""
WRITES = Pace(goals.WRITES_PER_SECOND / 50, 50)


def upserts(stage: Stage) -> None:
    """One new point at a time, waited for; the peer is a synced append of the same bytes. The engine syncs nothing."""
    progress("upserting one point at a time")
    work = stage.work
    requests = upsert_requests(work, UPSERTS)
    vectors = [rounded_row(work.queries[i % len(work.queries)]) for i in range(UPSERTS)]
    asked = engine.upserts([engine.point(work.size + i, vector) for i, vector in enumerate(vectors)])
    timed(stage.server.port, requests[:50])
    stage.engine.update(asked[:50])
    ours, theirs = in_turns(UPSERTS, stage.over_rest(requests), lambda part: stage.engine.update(asked[part]))
    stage.points = work.size + UPSERTS
    peer = peers.synced_appends(requests)
    for percent, most in ((50, goals.UPSERT_P50), (99, goals.UPSERT_P99)):
        mine, synced, engines = (percentile_ms(seconds, percent) for seconds in (ours[0], peer, theirs[0]))
        stage.results.aim("one point, waited for", f"p{percent}", mine, "ms", most, synced, engines)


def trickle(stage: Stage) -> None:
    """Searches on one connection before, while and after new points come at 500 a second, ten at once, waited for."""
    port, results = stage.server.port, stage.results
    count = min(TRICKLED, stage.work.size // 10)
    searches = search_requests(stage.work.queries, stage.ef)
    longest = 2 * count / (TRICKLE.per_second * TRICKLE.points)
    with PacedWriter(port, _new(stage, count, TRICKLE), TRICKLE, longest) as writer:
        stage.wait_green(0, stage.lasting.settling)
        timed(port, searches[:100])
        progress("searching before points come in a trickle")
        before = throughput(port, lasting(searches, stage.lasting.beside_trickle), 1).latencies
        progress(f"searching while {count:,} points come in a trickle")
        writer.begin()
        during = throughput(port, repeated(searches, writer.ended), 1).latencies
        written = writer.written()
    progress("searching after they came")
    after = throughput(port, lasting(searches, stage.lasting.beside_trickle), 1).latencies
    group = f"{count:,} points in a trickle"
    p50 = [percentile_ms(latencies, 50) for latencies in (before, during, after)]
    for when, value in zip(("before", "during", "after"), p50, strict=True):
        results.add(group, f"p50 of searches {when}", value, "ms")
    results.add(group, "p99 during", percentile_ms(during, 99), "ms")
    results.aim(group, "p50 during / before", p50[1] / p50[0], "", goals.TRICKLE_RATIO)
    results.aim(group, "p50 after / before", p50[2] / p50[0], "", goals.TRICKLE_RATIO)
    results.add(group, "written", written.points_per_second, "points/s")


def searches_while_writing(stage: Stage) -> None:
    """Searches over many connections while 5,000 points a second come, 50 at once, waited for: new ones, updates.

    Each time beside what was loaded, in a server of its own over a copy of the data.
    """
    stage.wait_green(0)
    for kind, connections in _scenarios():
        progress(f"searching over {connections} connections while {kind} are written")
        with TemporaryDirectory(prefix="headwater-bench-") as name:
            data = Path(name) / "data"
            copytree(stage.loaded, data)
            with Server(data, launch=new_interpreter) as server:
                fresh = replace(stage, server=server.start(), points=stage.work.size + UPSERTS)
                timed(fresh.server.port, search_requests(stage.work.queries, stage.ef)[:WARMING])
                _measure(fresh, kind, connections, f"throughput while writing {kind}")


def searches_after_writing(stage: Stage) -> None:
    """The same one after another in one server, each on what those before it left: several graphs, and dead points."""
    for kind, connections in _scenarios():
        progress(f"searching over {connections} connections while more {kind} are written")
        _measure(stage, kind, connections, f"while writing {kind}, on top of what was written")


def _scenarios() -> Iterator[tuple[str, int]]:
    return ((kind, connections) for kind in ("new points", "updates") for connections in goals.SEARCHES_PER_SECOND)


def _measure(stage: Stage, kind: str, connections: int, group: str) -> None:
    port, results = stage.server.port, stage.results
    count = int(WRITES.per_second * stage.lasting.writing) * WRITES.points
    requests = _new(stage, count, WRITES) if kind == "new points" else _updates(stage, count, WRITES)
    searches = search_requests(stage.work.queries, stage.ef)
    with PacedWriter(port, requests, WRITES, stage.lasting.writing) as writer:
        stage.wait_green(0, stage.lasting.settling)
        writer.begin()
        found = throughput(port, repeated(searches, writer.ended), connections)
        written = writer.written()
    # What is not written takes nothing from the searches.
    kept_up = written.points_per_second >= 0.95 * goals.WRITES_PER_SECOND
    name, least = f"{connections} connections", goals.WHILE_WRITING * stage.per_second[connections]
    results.aim_above(group, name, found.per_second, "searches/s", least, valid=kept_up)
    results.add(group, f"{name}, p50", percentile_ms(found.latencies, 50), "ms")
    p99 = percentile_ms(found.latencies, 99)
    results.aim(group, f"{name}, p99", p99, "ms", goals.WHILE_WRITING_P99, valid=kept_up)
    results.add(group, f"{name}, client's share of a core", found.client_share, "")
    results.aim_above(group, f"{name}, written", written.points_per_second, "points/s", 0.95 * goals.WRITES_PER_SECOND)
    results.add(group, f"{name}, a write's p50", percentile_ms(written.latencies, 50), "ms")


def _new(stage: Stage, count: int, pace: Pace) -> list[bytes]:
    ids = range(stage.points, stage.points + count)
    stage.points += count
    return write_requests(stage.work, ids, pace.points)


def _updates(stage: Stage, count: int, pace: Pace) -> list[bytes]:
    return write_requests(stage.work, range(min(count, stage.work.size)), pace.points)

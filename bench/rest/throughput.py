"""Searches over several connections at once, while nothing is written."""

from bench.raw_http import Throughput, lasting, throughput, timed
from bench.rest import goals
from bench.rest.stage import Stage
from bench.results import percentile_ms
from bench.word_vectors import progress
from bench.workload import search_requests

CONNECTIONS = (1, 8, 32)
ROUNDS = 2


def concurrent(stage: Stage) -> None:
    """At the ef that reaches the recall aimed at; numbers of connections take turns."""
    requests = search_requests(stage.work.queries, stage.ef)
    timed(stage.server.port, requests[:100])
    measured: dict[int, Throughput] = {}
    for _ in range(ROUNDS):
        for connections in CONNECTIONS:
            progress(f"searching over {connections} connections")
            some = throughput(stage.server.port, lasting(requests, stage.lasting.throughput), connections)
            measured[connections] = measured[connections] + some if connections in measured else some
    for connections, found in measured.items():
        group, name = f"throughput at recall {goals.RECALL}", f"{connections} connections"
        stage.per_second[connections] = found.per_second
        if (least := goals.SEARCHES_PER_SECOND.get(connections)) is None:
            stage.results.add(group, name, found.per_second, "searches/s")
        else:
            stage.results.aim_above(group, name, found.per_second, "searches/s", least)
        stage.results.add(group, f"{name}, p99", percentile_ms(found.latencies, 99), "ms")
        stage.results.add(group, f"{name}, client's share of a core", found.client_share, "")

"""Killed, and started again."""

import subprocess
import sys
import time
from dataclasses import replace
from shutil import copytree

import numpy as np

from bench import peers
from bench.raw_http import Connection, RequestError, timed
from bench.rest import goals
from bench.rest.stage import Stage
from bench.rest.writing import UPSERTS
from bench.word_vectors import progress
from bench.workload import K, exact_ids, found_ids, recall, search_requests
from tests.support.launching import ROOT

IMPORTS = 3
IMPORTING = """
from projector.garbage import made_to_stay
with made_to_stay():
    import compose.commands.app, uvloop, compose.server
"""


def restart(stage: Stage) -> None:
    """From the start of the next process, Python included, to its first answer; the peer loads its graph's file."""
    progress("killing and restarting")
    stage.server.kill()
    copytree(stage.server.data, stage.loaded)
    question = search_requests(stage.work.queries[:1], stage.ef)[0]
    begun = time.perf_counter()
    stage.server.launch()
    while len(_answer(stage, question)) < K:
        time.sleep(0.005)
    seconds = time.perf_counter() - begun
    peer = peers.reload_seconds(stage.graph, stage.work)
    stage.results.aim("restart", "from start to first answer", seconds, "s", goals.RESTART_SECONDS, peer)
    _check(stage)
    stage.results.add("restart", "a Python that imports as much, and ends", _importing(), "s")
    stage.memory("restarted")


def _answer(stage: Stage, question: bytes) -> list[int]:
    if stage.server.poll() is not None:
        raise AssertionError(f"the server did not come back\n{stage.server.last_output()}")
    try:
        with Connection(stage.server.port) as connection:
            return found_ids([connection.ask(question)])[0]
    except (OSError, RequestError):
        return []


def _importing() -> float:
    spent: list[float] = []
    for _ in range(IMPORTS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", IMPORTING], cwd=ROOT, check=True)
        spent.append(time.perf_counter() - begun)
    return min(spent)


def _check(stage: Stage) -> None:
    seen = stage.ask("POST", "/points/count", {"exact": True})["count"]
    if seen != stage.points:
        raise AssertionError(f"{seen} points after the restart, expected {stage.points}")
    added = np.arange(UPSERTS) % len(stage.work.queries)
    everything = replace(stage.work, vectors=np.concatenate((stage.work.vectors, stage.work.queries[added])))
    _, bodies = timed(stage.server.port, search_requests(stage.work.queries, stage.ef))
    found = recall(found_ids(bodies), exact_ids(everything))
    stage.results.add("restart", f"recall@10 at ef {stage.ef}, new points included", found, "")

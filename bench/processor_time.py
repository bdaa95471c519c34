"""Where the processor time of one search, one waited upsert and one loaded batch goes, beside other releases.

python -m bench.processor_time [FOLDER ...] [--seconds 20] [--points 20000] [--graphs FOLDER] [--only CASE ...]

How much a request takes is what all threads of a server used for it (bench.path_cost), without a profiler; what of that
goes where are the shares of a sampling profiler, which sees the Python functions of threads that run, and in them what
they call that is no Python. ``--graphs`` writes a flame graph of this checkout for each case.
"""

import json
import re
import subprocess
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.flame_graph import Stack, draw
from bench.path_cost import BATCH, HERE, Case, Server, one_by_one, request, search, upsert, used
from bench.workload import Floats, load_workload

REQUESTS = {"search": 100, "upsert": 50, "load": 2}
ROUNDS = 7
SAMPLES_PER_SECOND = 500
BODY = {
    "vectors": {"size": 100, "distance": "Cosine"},
    "hnsw_config": {"m": 16, "ef_construct": 100},
    "optimizers_config": {"indexing_threshold": 1000},
}
READY_SECONDS = 900.0
LEAST_SHARE = 0.02
WAITING = ("(threading.py)", "(concurrent/futures/thread.py)", "(queue.py)", "(selectors.py)")
STARTED = ("(asyncio/runners.py)", "(uvloop/__init__.py)")
LOOP = "event loop and sockets"
PARTS = {
    LOOP: ("compose/commands", "compose/cli", "compose/stall_meter"),
    "HTTP": ("compose/", "ingest/http/"),
    "log: append, sync, read": ("ingest/embedded/", "ingest/log"),
    "request to record": ("ingest/", "schemas/"),
    "fold": ("projector/fold/",),
    "state": ("projector/state/",),
    "view and feed": ("projector/view/", "projector/feed/", "projector/frames", "projector/follower"),
    "runner": ("projector/worker/", "projector/runner", "projector/waiters"),
    "builder": ("projector/segments/optimizer", "projector/segments/shard_work", "projector/segments/builder"),
    "plan": ("query_api/plan/", "query_api/routes/", "query_api/answering", "query_api/reading", "query_api/strict"),
    "find: walk and scores": ("query_api/", "projector/"),
}
"""What is done where, by how modules' paths begin: the first that fits."""
ROOMS = ("schemas", "ingest", "projector", "query_api", "compose")


def cases_of(vectors: Floats, queries: Floats) -> list[Case]:
    """What is asked; round numbers make requests of their own."""
    rows, questions = vectors.tolist(), [search(query) for query in queries.tolist()]
    size = len(rows)

    def some(kind: str, at: int, step: int) -> range:
        start = at * REQUESTS[kind] * step % (size - REQUESTS[kind] * step)
        return range(start, start + REQUESTS[kind] * step)

    def searches(at: int) -> list[bytes]:
        return [questions[i % len(questions)] for i in some("search", at, 1)]

    def upserts(at: int) -> list[bytes]:
        return [upsert([i], [rows[i]]) for i in some("upsert", at, 1)]

    def batches(at: int) -> list[bytes]:
        wanted = some("load", at, BATCH)
        return [
            upsert(wanted[i : i + BATCH], rows[wanted[i] : wanted[i] + BATCH]) for i in range(0, len(wanted), BATCH)
        ]

    return [
        Case("search", one_by_one, searches),
        Case("upsert", one_by_one, upserts),
        Case("load", one_by_one, batches),
    ]


def fill(server: Server, vectors: Floats) -> None:
    """Load all points and wait for their graph."""
    server.ask(request("PUT", "/collections/words", BODY))
    rows = vectors.tolist()
    for start in range(0, len(rows), BATCH):
        server.ask(upsert(range(start, start + BATCH), rows[start : start + BATCH]))
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        info = json.loads(server.ask(b"GET /collections/words HTTP/1.1\r\nhost: localhost\r\n\r\n"))["result"]
        if info["status"] == "green" and info["indexed_vectors_count"] >= len(rows):
            return
        time.sleep(0.5)
    raise TimeoutError("no graph")


def microseconds(servers: Sequence[Server], case: Case) -> list[float]:
    """Of one request, the median of rounds in turns, by server."""
    found: list[list[float]] = [[] for _ in servers]
    for at in range(ROUNDS + 1):
        requests = case.make(at)
        for number, server in enumerate(servers):
            before = used(server.process.pid)
            case.drive(server, requests)
            if at:
                seconds = used(server.process.pid).since(before).seconds
                found[number].append(seconds / len(requests) * 1e6)
    return [median(each) for each in found]


def profiled(server: Server, case: Case, seconds: float) -> Counter[Stack]:
    """The stacks of a server's threads while it is asked, outermost call first, and how often each was met."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "stacks"
        options = ["--format", "raw", "--function", "--rate", str(SAMPLES_PER_SECOND), "--output", str(output)]
        duration = ["--duration", str(round(seconds)), "--pid", str(server.process.pid)]
        profiler = subprocess.Popen(
            [HERE / ".venv/bin/py-spy", "record", *options, *duration],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        at = ROUNDS
        while profiler.poll() is None:
            at += 1
            case.drive(server, case.make(at))
        _, said = profiler.communicate()
        if profiler.returncode != 0 or not output.exists():
            raise RuntimeError(f"the profiler failed: {said.decode(errors='replace')}")
        stacks: Counter[Stack] = Counter()
        for line in output.read_text().splitlines():
            names, _, count = line.rpartition(" ")
            stack = tuple(re.sub(r":\d+\)$", ")", name) for name in names.split(";"))
            # A thread that waits looks as if it ran while it is being woken.
            if not stack[-1].endswith(WAITING):
                stacks[_from_the_loop(stack)] += int(count)
        return stacks


def _from_the_loop(stack: Stack) -> Stack:
    """Without what starts a server."""
    begun = [at for at, name in enumerate(stack) if name.endswith(STARTED)]
    return stack[begun[-1] :] if begun else stack


def part_of(stack: Stack) -> str:
    """What a stack is for, by its innermost function in the rooms."""
    for name in reversed(stack):
        place = name.partition("(")[2].rstrip(")")
        if place.split("/")[0] in ROOMS:
            return next((part for part, starts in PARTS.items() if place.startswith(starts)), place)
    return LOOP


def shares(stacks: Counter[Stack], cost: float) -> Counter[str]:
    """Microseconds by part."""
    found: Counter[str] = Counter()
    for stack, count in stacks.items():
        found[part_of(stack)] += count / stacks.total() * cost
    return found


def show(case: Case, servers: Sequence[Server], costs: Sequence[float], every: Sequence[Counter[Stack]]) -> None:
    """A table of microseconds by part."""
    print(f"\n{case.name}: microseconds of processor time of one request")
    for server, cost, stacks in zip(servers, costs, every, strict=True):
        print(f"  {server.root}: {cost:.0f} ({stacks.total()} samples)")
    parts = [shares(stacks, cost) for cost, stacks in zip(costs, every, strict=True)]
    for name in sorted({part for of in parts for part in of}, key=lambda part: -max(of[part] for of in parts)):
        if any(of[name] >= LEAST_SHARE * cost for of, cost in zip(parts, costs, strict=True)):
            print(f"  {name:50}" + "".join(f"{of[name]:9.0f}" for of in parts), flush=True)


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--graphs", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(REQUESTS), default=list(REQUESTS))
    options = parser.parse_args()
    work = load_workload(options.points)
    servers: list[Server] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for at, root in enumerate([*options.folders, HERE]):
                print(f"loading {root}", flush=True)
                servers.append(Server(root, Path(folder) / str(at)))
                fill(servers[-1], work.vectors)
            for case in cases_of(work.vectors, work.queries):
                if case.name not in options.only:
                    continue
                costs = microseconds(servers, case)
                every = [profiled(server, case, options.seconds) for server in servers]
                show(case, servers, costs, every)
                if options.graphs is not None:
                    title = f"{case.name}: {costs[-1]:.0f} microseconds of processor time of one request"
                    unit = costs[-1] / every[-1].total()
                    (options.graphs / f"{case.name}.svg").write_text(draw(every[-1], title, unit, "us"))
        finally:
            for server in servers:
                server.close()


if __name__ == "__main__":
    main()

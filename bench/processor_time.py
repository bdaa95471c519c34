"""Where the processor time of one search, one waited upsert and one loaded batch goes, beside other releases.

python -m bench.processor_time [FOLDER ...] [--seconds 3] [--points 20000] [--graphs FOLDER] [--only CASE ...]

Servers of the checkouts, this one among them, are asked in turns until each has used so many seconds of processor time
for a case; bench.sampling says where. What is given is microseconds of a request, all threads of a server together.
``--graphs`` writes a flame graph of this checkout for each case.
"""

import json
import signal
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from bench.flame_graph import Stack, draw
from bench.path_cost import BATCH, HERE, Case, Server, one_by_one, request, search, upsert, used
from bench.sampling import OTHER
from bench.workload import Floats, load_workload

REQUESTS = {"search": 100, "upsert": 50, "load": 2}
SAMPLING = HERE / "bench" / "sampling.py"
BODY = {
    "vectors": {"size": 100, "distance": "Cosine"},
    "hnsw_config": {"m": 16, "ef_construct": 100},
    "optimizers_config": {"indexing_threshold": 1000},
}
READY_SECONDS = 900.0
LEAST_SHARE = 0.02
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
Cost = dict[Stack, float]
"""Microseconds of one request by stack."""
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


def measured(servers: Sequence[Server], outputs: Sequence[Path], case: Case, seconds: float) -> list[Cost]:
    """Microseconds of one request by stack, outermost call first, for each server."""
    for server in servers:
        case.drive(server, case.make(0))
    for server, output in zip(servers, outputs, strict=True):
        written(server, output)
    spent, asked, at = [0.0] * len(servers), [0] * len(servers), 0
    while min(spent) < seconds:
        at += 1
        requests = case.make(at)
        for number, server in enumerate(servers):
            before = used(server.process.pid)
            case.drive(server, requests)
            spent[number] += used(server.process.pid).since(before).seconds
            asked[number] += len(requests)
    found: list[Cost] = []
    for server, output, each, count in zip(servers, outputs, spent, asked, strict=True):
        stacks: Counter[Stack] = Counter()
        for line in written(server, output):
            names, _, us = line.rpartition(" ")
            stacks[_from_the_loop(tuple(names.split(";")))] += int(us)
        scale = each * 1e6 / count / stacks.total()
        found.append({stack: us * scale for stack, us in stacks.items()})
    return found


def written(server: Server, output: Path) -> list[str]:
    """What a server noted since it was last asked."""
    output.unlink(missing_ok=True)
    server.process.send_signal(signal.SIGUSR2)
    while not output.exists():
        if server.process.poll() is not None:
            raise RuntimeError(f"the server of {server.root} ended")
        time.sleep(0.05)
    return output.read_text().splitlines()


def _from_the_loop(stack: Stack) -> Stack:
    """Without what starts a server."""
    begun = [at for at, name in enumerate(stack) if name.endswith(STARTED)]
    return stack[begun[-1] :] if begun else stack


def part_of(stack: Stack) -> str:
    """What a stack is for, by its innermost function in the rooms."""
    if stack == (OTHER,):
        return OTHER
    for name in reversed(stack):
        place = name.partition("(")[2].rstrip(")")
        if place.split("/")[0] in ROOMS:
            return next((part for part, starts in PARTS.items() if place.startswith(starts)), place)
    return LOOP


def show(case: Case, servers: Sequence[Server], every: Sequence[Cost]) -> None:
    """A table of microseconds by part."""
    print(f"\n{case.name}: microseconds of processor time of one request")
    costs = [sum(stacks.values()) for stacks in every]
    for server, cost in zip(servers, costs, strict=True):
        print(f"  {server.root}: {cost:.0f}")
    parts: list[defaultdict[str, float]] = []
    for stacks in every:
        parts.append(defaultdict(float))
        for stack, us in stacks.items():
            parts[-1][part_of(stack)] += us
    for name in sorted({part for of in parts for part in of}, key=lambda part: -max(of[part] for of in parts)):
        if any(of[name] >= LEAST_SHARE * cost for of, cost in zip(parts, costs, strict=True)):
            print(f"  {name:50}" + "".join(f"{of[name]:9.0f}" for of in parts), flush=True)


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--graphs", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(REQUESTS), default=list(REQUESTS))
    options = parser.parse_args()
    work = load_workload(options.points)
    servers: list[Server] = []
    outputs: list[Path] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for at, root in enumerate([*options.folders, HERE]):
                print(f"loading {root}", flush=True)
                outputs.append(Path(folder) / f"stacks-{at}")
                servers.append(Server(root, Path(folder) / str(at), (SAMPLING, outputs[-1])))
                fill(servers[-1], work.vectors)
            for case in cases_of(work.vectors, work.queries):
                if case.name in options.only:
                    every = measured(servers, outputs, case, options.seconds)
                    show(case, servers, every)
                    if options.graphs is not None:
                        title = (
                            f"{case.name}: {sum(every[-1].values()):.0f} microseconds of processor time of one request"
                        )
                        (options.graphs / f"{case.name}.svg").write_text(draw(every[-1], title, "us"))
        finally:
            for server in servers:
                server.close()


if __name__ == "__main__":
    main()

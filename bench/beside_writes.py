"""Where processor time goes while points are written beside searches: by process, by thread, and on the main thread.

python -m bench.beside_writes [FOLDER ...] [--kinds updates "new points"] [--connections 8 32] [--seconds 8]

What ``bench.rest.writing`` measures by the clock. Servers of several checkouts, this one among them, go through the
scenarios one after another, each server over the same points, which were loaded once. ``--stacks FOLDER`` keeps what
bench.sampling noted.
"""

import json
import shutil
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.path_cost import HERE, Server, request
from bench.processor_time import SAMPLING, part_of, written
from bench.raw_http import repeated, throughput, timed
from bench.rest.paced import Pace, PacedWriter
from bench.results import percentile_ms
from bench.word_vectors import progress
from bench.workload import COLLECTION, Workload, load_requests, load_workload, search_requests, write_requests

WRITES = Pace(100, 50)
EF = 256
READY_SECONDS, SETTLING_SECONDS = 900.0, 10.0
SHOWN = 0.02
Threads = dict[str, float]
"""Seconds of processor time; of the main thread also how long it was ready and had no core."""
WAITED = "main thread without a core"


@dataclass(frozen=True)
class Scenario:
    """What is written, over how many connections others search, and for how many seconds."""

    kind: str
    connections: int
    seconds: float


def processes_below(pid: int) -> list[int]:
    """A process and those that it started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def threads_of(server: Server) -> Threads:
    """What the threads of a server and of the processes that it started used so far."""
    found: defaultdict[str, float] = defaultdict(float)
    for pid in processes_below(server.process.pid):
        for task in Path(f"/proc/{pid}/task").glob("*"):
            try:
                name = (task / "comm").read_text().strip()
                used, waited = (int(each) / 1e9 for each in (task / "schedstat").read_text().split()[:2])
            except OSError:
                continue
            if pid != server.process.pid:
                name = "builders"
            elif int(task.name) == pid:
                name = "main thread"
                found[WAITED] += waited
            found[name] += used
    return found


def wait_green(server: Server, points: int, seconds: float) -> bool:
    """Wait until so many are in graphs and nothing is built; whether that was within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = json.loads(server.ask(f"GET /collections/{COLLECTION} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()))
        if seen["result"]["status"] == "green" and seen["result"]["indexed_vectors_count"] >= points:
            return True
        time.sleep(0.25)
    return False


def load(work: Workload, data: Path) -> None:
    """A data folder with all points in graphs."""
    server = Server(HERE, data)
    try:
        server.ask(request("PUT", f"/collections/{COLLECTION}", {"vectors": {"size": 100, "distance": "Cosine"}}))
        progress("loading")
        timed(server.port, load_requests(work))
        if not wait_green(server, work.size, READY_SECONDS):
            raise TimeoutError("no graph")
    finally:
        server.close()


def measure(server: Server, work: Workload, requests: list[bytes], asked: Scenario, output: Path) -> list[str]:
    """One scenario; prints a table of what it used. What was noted of the main thread."""
    searches = search_requests(work.queries, EF)
    with PacedWriter(server.port, requests, WRITES, asked.seconds) as writer:
        wait_green(server, work.size, SETTLING_SECONDS)
        timed(server.port, searches[:300])
        written(server, output)
        before = threads_of(server)
        writer.begin()
        found = throughput(server.port, repeated(searches, writer.ended), asked.connections)
        wrote = writer.written()
        used = threads_of(server)
        for name, seconds in before.items():
            used[name] -= seconds
        noted = written(server, output)
    print(f"\n{server.root}: {asked.kind}, {asked.connections} connections, {found.seconds:.1f} s")
    print(
        f"  {found.per_second:.0f} searches/s, p50 {percentile_ms(found.latencies, 50):.1f} ms,"
        f" p99 {percentile_ms(found.latencies, 99):.1f} ms; {wrote.points_per_second:.0f} points/s,"
        f" p50 {percentile_ms(wrote.latencies, 50):.1f} ms, p99 {percentile_ms(wrote.latencies, 99):.1f} ms"
    )
    print(f"  cores used: {found.client_share:.2f} client", end="")
    for name, seconds in sorted(used.items(), key=lambda each: -each[1]):
        if seconds > SHOWN:
            print(f", {seconds / found.seconds:.2f} {name}", end="")
    print()
    parts: Counter[str] = Counter()
    for line in noted:
        names, _, us = line.rpartition(" ")
        parts[part_of(tuple(names.split(";")))] += int(us)
    for part, us in parts.most_common():
        if us > SHOWN * parts.total():
            print(f"    {us / 1e6 / found.seconds:6.2f} {part}", flush=True)
    return noted


def run(root: Path, work: Workload, loaded: Path, scenarios: Sequence[Scenario], stacks: Path | None) -> None:
    """One server through scenarios, each on what those before it left."""
    with tempfile.TemporaryDirectory(prefix="beside-writes-") as name:
        folder = Path(name)
        shutil.copytree(loaded, folder, dirs_exist_ok=True)
        output = folder / "stacks"
        server = Server(root, folder, (SAMPLING, output))
        points = work.size
        try:
            for asked in scenarios:
                count = int(WRITES.per_second * asked.seconds) * WRITES.points
                first = 0 if asked.kind == "updates" else points
                points = max(points, first + count)
                requests = write_requests(work, range(first, first + count), WRITES.points)
                noted = measure(server, work, requests, asked, output)
                if stacks is not None:
                    stacks.mkdir(parents=True, exist_ok=True)
                    (stacks / f"{root.name}-{asked.kind.split()[0]}-{asked.connections}").write_text("\n".join(noted))
        finally:
            server.close()


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--kinds", nargs="+", choices=("updates", "new points"), default=["new points", "updates"])
    parser.add_argument("--connections", nargs="+", type=int, default=[8, 32])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--points", type=int, default=200_000)
    parser.add_argument("--loaded", type=Path, help="where the loaded points are kept for the next run")
    parser.add_argument("--stacks", type=Path)
    options = parser.parse_args()
    work = load_workload(options.points)
    scenarios = [
        Scenario(kind, connections, options.seconds) for kind in options.kinds for connections in options.connections
    ]
    with tempfile.TemporaryDirectory() as name:
        loaded: Path = options.loaded or Path(name)
        if not (loaded / "data").exists():
            load(work, loaded)
        for root in [*options.folders, HERE]:
            run(root, work, loaded, scenarios, options.stacks)


if __name__ == "__main__":
    main()

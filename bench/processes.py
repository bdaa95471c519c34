"""What a server of several processes does beside one of one: searches a second, and what a search and a write take.

python -m bench.processes [--workers 1 2] [--points 20000] [--connections 8] [--rounds 8] [--seconds 2]

Servers over the same points are asked in turns. Processor time is that of all processes of a server; on a machine that
does other things, too, it says more than the clock. Memory is proportional: what is shared is counted once.
"""

import json
import os
import tempfile
import time
from argparse import ArgumentParser
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from subprocess import Popen

from bench.path_cost import HERE
from bench.raw_http import Connection, RequestError, lasting, request, throughput, timed
from bench.workload import COLLECTION, load_requests, load_workload, search_requests, upsert_requests
from tests.support.server import free_port

READY_SECONDS = 600.0
UPSERTS = 200
"""In each round."""
_SETTLE_SECONDS = 0.3
"""Workers know ten times a second how many connections the others have."""
_TICKS = os.sysconf("SC_CLK_TCK")
PATH = f"/collections/{COLLECTION}"
BODY = {
    "vectors": {"size": 100, "distance": "Cosine"},
    "hnsw_config": {"m": 16, "ef_construct": 100},
    "optimizers_config": {"indexing_threshold": 1000},
}


@dataclass
class Found:
    """Of each round: searches a second; seconds of the processor for a search, and for a write. ``loop``: of those for
    a search, what the busiest event loop used. ``waits``: seconds of each write.
    """

    per_second: list[float] = field(default_factory=list[float])
    search: list[float] = field(default_factory=list[float])
    loop: list[float] = field(default_factory=list[float])
    write: list[float] = field(default_factory=list[float])
    waits: list[float] = field(default_factory=list[float])


class Server:
    """``headwater serve`` with so many workers, over an empty folder."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.workers = workers
        self.found = Found()
        self.port = free_port()
        where = ["--port", str(self.port), "--data", str(folder), "--no-grpc", "--log-level", "error"]
        python = HERE / ".venv/bin/python"
        self.process = Popen([python, "-m", "compose.cli", "serve", *where, "--workers", str(workers)], cwd=HERE)

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        """An answer, as soon as there is one."""
        until = time.monotonic() + READY_SECONDS
        while True:
            try:
                with Connection(self.port) as connection:
                    return connection.ask(request(method, path, b"" if body is None else json.dumps(body).encode()))
            except (OSError, RequestError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def pids(self) -> list[int]:
        """The ids of its processes, but for those that build segments, which come and go."""
        main = self.process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        named = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
        return [main, *(pid for pid, command in named.items() if b"compose.api.worker" in command)]

    def seconds(self) -> float:
        """Of the processor, by now."""
        ticks = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / _TICKS

    def loops(self) -> list[float]:
        """The same of the event loop of each process."""
        files = [Path(f"/proc/{pid}/task/{pid}/schedstat") for pid in self.pids()]
        return [int(file.read_text().split()[0]) / 1e9 for file in files]

    def memory(self) -> int:
        """Bytes."""
        rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in self.pids()]
        return sum(int(line.split()[1]) << 10 for lines in rollups for line in lines if line.startswith("Pss:"))

    def load(self, requests: list[bytes]) -> None:
        """Load all, and wait for the graphs."""
        self.ask("GET", "/readyz")
        self.ask("PUT", PATH, BODY)
        timed(self.port, requests)
        while json.loads(self.ask("GET", PATH))["result"]["status"] != "green":
            time.sleep(0.2)

    def measure_searches(self, requests: list[bytes], connections: int, seconds: float) -> None:
        """One round."""
        time.sleep(_SETTLE_SECONDS)
        before, loops = self.seconds(), self.loops()
        done = throughput(self.port, lasting(requests, seconds), connections)
        self.found.per_second.append(done.per_second)
        self.found.search.append((self.seconds() - before) / len(done.latencies))
        self.found.loop.append(max(b - a for a, b in zip(loops, self.loops(), strict=True)) / len(done.latencies))

    def measure_writes(self, requests: list[bytes]) -> None:
        """One round, on one connection."""
        before = self.seconds()
        waits, _ = timed(self.port, requests)
        self.found.waits += waits
        self.found.write.append((self.seconds() - before) / len(requests))

    def show(self) -> None:
        """A line."""
        found = self.found
        waits = sorted(found.waits)
        print(
            f"workers {self.workers}: {median(found.per_second):.0f} searches/s (best {max(found.per_second):.0f}), "
            f"{median(found.search) * 1e6:.0f} us of processor each (least {min(found.search) * 1e6:.0f}), "
            f"{median(found.loop) * 1e6:.0f} of them on the busiest event loop; "
            f"waited upsert {median(waits) * 1e3:.2f} ms (tenth {waits[len(waits) // 10] * 1e3:.2f}), "
            f"{median(found.write) * 1e6:.0f} us of processor (least {min(found.write) * 1e6:.0f}); "
            f"{self.memory() / 1e6:.0f} MB"
        )

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(60)


def main() -> None:
    """Measure, and print a line for each server."""
    parser = ArgumentParser()
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--ef", type=int, default=128)
    options = parser.parse_args()
    work = load_workload(options.points)
    loads, searches = load_requests(work), search_requests(work.queries, options.ef)
    writes = upsert_requests(work, UPSERTS * (options.rounds + 1))
    servers: list[Server] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for workers in options.workers:
                servers.append(Server(Path(folder) / f"{len(servers)}", workers))
            for server in servers:
                server.load(loads)
            for at in range(options.rounds + 1):
                some = writes[at * UPSERTS : (at + 1) * UPSERTS]
                for server in servers[:: -1 if at % 2 else 1]:
                    server.measure_searches(searches, options.connections, options.seconds)
                    server.measure_writes(some)
                    if not at:  # the first warms up
                        server.found = Found()
            for server in servers:
                server.show()
        finally:
            for server in servers:
                server.close()


if __name__ == "__main__":
    main()

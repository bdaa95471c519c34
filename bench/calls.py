"""The same client over REST and over gRPC, side by side on one server: uploads and searches.

python -m bench.calls [POINTS]

Each takes its turn, and what is told is the middle of all rounds: what the clock says, and the processor time that the
server used and the client did, for a point uploaded (random vectors of 100 numbers, cosine, with one number as payload,
in batches of 1000, waited for) and for a search (the ten nearest, with their payloads). Ratios are gRPC's to REST's.
"""

import gc
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from qdrant_client import QdrantClient, models

from bench.workload import Floats
from tests.support.server import HOST, Server

DIM = 100
BATCH = 1000
ROUNDS = 5
SEARCHES = 200
SEARCHED = 1000
"""Points that are searched: few, as what is around a search is to be told."""
WAYS = {"REST": False, "gRPC": True}


@dataclass(frozen=True, slots=True)
class Spent:
    """Microseconds for each of several: by the clock, of the server, of the client."""

    clock: float
    server: float
    client: float


class Meter:
    """What one server, and this process, use."""

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._tick = 1 / os.sysconf("SC_CLK_TCK")

    def spent(self, work: Callable[[], None], count: int) -> Spent:
        """What ``work`` takes, which does something ``count`` times."""
        gc.collect()
        served, used, began = self._served(), time.process_time(), time.perf_counter()
        work()
        ended = time.perf_counter()
        times = ended - began, self._served() - served, time.process_time() - used
        return Spent(*(1e6 * each / count for each in times))

    def _served(self) -> float:
        user, system = self._stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) * self._tick


class Caller:
    """A client that goes one way, with a collection of its own."""

    def __init__(self, server: Server, way: str) -> None:
        self._client = QdrantClient(
            host=HOST, port=server.port, grpc_port=server.grpc_port, prefer_grpc=WAYS[way], timeout=60
        )
        self._name = way.lower()

    def upload(self, vectors: Floats) -> None:
        """Fill the collection anew; what was there is dropped."""
        payload: Iterator[dict[str, int]] = ({"n": row} for row in range(len(vectors)))
        self._client.upload_collection(
            self._name, vectors, payload, range(len(vectors)), batch_size=BATCH, wait=True, parallel=1
        )

    def create(self) -> None:
        """An empty collection, whose points are left unindexed meanwhile."""
        self._client.delete_collection(self._name)
        self._client.create_collection(
            self._name,
            vectors_config=models.VectorParams(size=DIM, distance=models.Distance.COSINE),
            optimizers_config=models.OptimizersConfigDiff(indexing_threshold=0),
        )

    def search(self, queries: Floats) -> list[float]:
        """Ask one after another: microseconds of each."""
        taken: list[float] = []
        for query in queries.tolist():
            began = time.perf_counter()
            self._client.query_points(self._name, query=query, limit=10, with_payload=True)
            taken.append(1e6 * (time.perf_counter() - began))
        return taken

    def close(self) -> None:
        """Hang up."""
        self._client.close()


@contextmanager
def callers(server: Server) -> Generator[dict[str, Caller]]:
    made = {way: Caller(server, way) for way in WAYS}
    try:
        yield made
    finally:
        for caller in made.values():
            caller.close()


def vectors_of(points: int) -> Floats:
    return np.random.default_rng(1).standard_normal((points, DIM)).astype(np.float32)


def uploads(meter: Meter, by_way: dict[str, Caller], points: int) -> dict[str, list[Spent]]:
    vectors = vectors_of(points)
    found: dict[str, list[Spent]] = {way: [] for way in by_way}
    for _ in range(ROUNDS):
        for way, caller in by_way.items():
            caller.create()
            found[way].append(meter.spent(lambda c=caller: c.upload(vectors), points))
    return found


def searches(meter: Meter, by_way: dict[str, Caller]) -> tuple[dict[str, list[Spent]], dict[str, float]]:
    queries = np.random.default_rng(2).standard_normal((SEARCHES, DIM)).astype(np.float32)
    found: dict[str, list[Spent]] = {way: [] for way in by_way}
    taken: dict[str, list[float]] = {way: [] for way in by_way}
    for caller in by_way.values():
        caller.search(queries[:20])
    for _ in range(2 * ROUNDS):
        for way, caller in by_way.items():
            found[way].append(meter.spent(lambda c=caller, w=way: taken[w].extend(c.search(queries)), SEARCHES))
    return found, {way: median(times) for way, times in taken.items()}


def show(what: str, rest: float, grpc: float) -> None:
    print(f"{what:44}{rest:10.1f}{grpc:10.1f}{grpc / rest:8.2f}", flush=True)


def show_all(what: str, found: dict[str, list[Spent]]) -> None:
    for name, label in (("clock", "by the clock"), ("server", "of the server"), ("client", "of the client")):
        rest, grpc = (median(getattr(spent, name) for spent in found[way]) for way in WAYS)
        show(f"{what}, {label}, us", rest, grpc)


def main() -> None:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    logging.disable(logging.INFO)
    print(f"{'':44}{'REST':>10}{'gRPC':>10}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "data", grpc=True) as server:
        meter = Meter(server.start().pid)
        with callers(server) as by_way:
            show_all("a point uploaded", uploads(meter, by_way, points))
            for caller in by_way.values():
                caller.create()
                caller.upload(vectors_of(SEARCHED))
            found, middle = searches(meter, by_way)
            show("a search, p50 by the clock, us", middle["REST"], middle["gRPC"])
            show_all("a search", found)


if __name__ == "__main__":
    main()

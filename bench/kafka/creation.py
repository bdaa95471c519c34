"""Creating collections while another one is written: how long it takes, and how long the other's writes pause."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from bench.kafka.async_http import AsyncHttp
from bench.kafka.records import DIM, row, vectors
from bench.kafka.stage import Stage

CREATED = 20
QUIET_SECONDS = 5.0
BETWEEN_SECONDS = 0.1


@dataclass(frozen=True)
class Creation:
    """Seconds of each creation; of the longest single write while nothing, and while collections were created."""

    seconds: list[float]
    longest_before: float
    longest_meanwhile: float


async def _write(port: int, collection: str, rows: Sequence[Sequence[float]], took: list[float]) -> None:
    """Upsert one point after another, waited for."""
    connection = await AsyncHttp.open(port)
    try:
        number = 0
        while True:
            body = msgspec.json.encode({"points": [{"id": number, "vector": rows[number % len(rows)]}]})
            begun = time.perf_counter()
            await connection.ask("PUT", f"/collections/{collection}/points?wait=true", body)
            took.append(time.perf_counter() - begun)
            number += 1
    finally:
        connection.close()


async def _measure(port: int, collection: str) -> Creation:
    rows = [row(vector) for vector in vectors(100)]
    body = msgspec.json.encode({"vectors": {"size": DIM, "distance": "Cosine"}})
    before: list[float] = []
    quiet = asyncio.create_task(_write(port, collection, rows, before))
    await asyncio.sleep(QUIET_SECONDS)
    await _end(quiet)
    meanwhile: list[float] = []
    seconds: list[float] = []
    writing = asyncio.create_task(_write(port, collection, rows, meanwhile))
    creating = await AsyncHttp.open(port)
    for number in range(CREATED):
        await asyncio.sleep(BETWEEN_SECONDS)
        begun = time.perf_counter()
        await creating.ask("PUT", f"/collections/made-{number}", body)
        seconds.append(time.perf_counter() - begun)
    await _end(writing)
    for number in range(CREATED):
        await creating.ask("DELETE", f"/collections/made-{number}", b"")
    creating.close()
    return Creation(seconds, max(before), max(meanwhile))


async def _end(writing: asyncio.Task[None]) -> None:
    if writing.done():
        await writing
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


def measure(stage: Stage, collection: str) -> Creation:
    """Create 20 collections, one after another."""
    return asyncio.run(_measure(stage.cluster.port, collection))

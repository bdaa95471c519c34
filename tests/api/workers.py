"""Workers of an api in this process: the real node, views and application, over a log and feeds in memory."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from compose.api.membership import Membership
from compose.api.node import ApiNode
from compose.api.startup import Startup
from compose.api.visibility_table import VisibilityTable
from compose.app import Services, create_app
from ingest.log import Topic
from tests.api.projector import Delivery, MemoryFeeds, MemoryProjector
from tests.support.memory_http import memory_client

STALLED_SECONDS = 0.5
VECTORS = {"size": 2, "distance": "Dot"}
POINTS = "/collections/c/points"
WAIT = {"wait": "true"}


class Worker:
    """One worker; ``run`` is what its process would do."""

    def __init__(self, projector: MemoryProjector, table: VisibilityTable, number: int) -> None:
        self.membership = Membership(table, number)
        self.startup = Startup(self.membership)
        self.feeds = MemoryFeeds(projector)
        self.node = ApiNode(
            projector.log,
            self.feeds,
            self.membership,
            self.startup,
            recount=projector.recount,
            stalled_seconds=STALLED_SECONDS,
        )
        node = self.node
        services = Services(
            projector.log, node.catalog, node.views, node.views, node.views, self.startup, "0", node.recount
        )
        self.app = create_app(services)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.membership.start()
        self._task = asyncio.create_task(self.node.run())

    async def started(self) -> None:
        self.start()
        await self.node.ready()

    async def stop(self) -> None:
        self.membership.leave()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        self.node.close()

    def delivery(self, topic: Topic, partition: int = 0) -> Delivery:
        return self.feeds.delivery(topic, partition)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with memory_client(self.app.answer) as client:
            return await client.request(method, path, **options)

    async def result(self, method: str, path: str, **options: Any) -> Any:
        response = await self.send(method, path, **options)
        assert response.status_code == 200, response.text
        return response.json()["result"]

    async def error(self, status: int, method: str, path: str, **options: Any) -> str:
        response = await self.send(method, path, **options)
        assert response.status_code == status, response.text
        message: str = response.json()["status"]["error"]
        return message


@asynccontextmanager
async def api(folder: Path, projector: MemoryProjector, workers: int = 1) -> AsyncGenerator[list[Worker]]:
    """Workers that are ready."""
    table = VisibilityTable.create(folder / "visible", workers)
    made = [Worker(projector, table, number) for number in range(workers)]
    for worker in made:
        worker.start()
    await asyncio.gather(*[worker.node.ready() for worker in made])
    try:
        yield made
    finally:
        for worker in made:
            await worker.stop()


def run(check: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(120):
            await check()

    asyncio.run(bounded())


def points(*ids: int) -> dict[str, Any]:
    return {"points": [{"id": i, "vector": [1.0, float(i)]} for i in ids]}


async def create(worker: Worker, name: str = "c", **body: Any) -> None:
    await worker.result("PUT", f"/collections/{name}", json={"vectors": VECTORS, **body})


async def count(worker: Worker, **options: Any) -> int:
    found: int = (await worker.result("POST", f"{POINTS}/count", json={}, **options))["count"]
    return found


async def settle() -> None:
    """Let what can happen happen."""
    for _ in range(20):
        await asyncio.sleep(0.001)

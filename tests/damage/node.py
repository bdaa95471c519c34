"""An embedded node in this process, asked as its clients ask it; whatever ends the node ends the question."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import httpx

from compose.app import create_app
from compose.embedded import EmbeddedNode
from compose.services import make_services
from compose.settings import Settings
from projector.segments.build import build_segment
from projector.segments.scrubber import Scrubber
from projector.segments.spec import BuildResult, BuildSpec
from tests.support.memory_http import memory_client

PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.02

ResultT = TypeVar("ResultT")


class _Builder:
    """Builds in this process: to start one takes longer than to build what is small."""

    def let_go(self, *, graph: bool) -> None:
        """There is no process."""

    async def build(self, spec: BuildSpec, progress: Callable[[float], None] = lambda fraction: None) -> BuildResult:
        """As SegmentBuilder."""
        return await asyncio.to_thread(build_segment, spec, progress)

    async def close(self) -> None:
        """As SegmentBuilder."""


class Node:
    """One that runs; ``open_node`` makes it."""

    def __init__(self, node: EmbeddedNode, client: httpx.AsyncClient) -> None:
        self._node = node
        self._client = client
        self._running = asyncio.create_task(node.run())

    async def run(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """The result of some work. Raises what ended the node meanwhile, TimeoutError."""
        task = asyncio.create_task(work)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.wait((task, self._running), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
        if self._running.done():
            self._running.result()
        return await task

    async def caught_up(self) -> None:
        """Return once it is ready, every segment was checked, and those that are damaged are built anew."""
        await self.run(self._node.caught_up())
        await self.run(self._checked())

    async def _checked(self) -> None:
        # What it does by itself, without the pauses.
        scrubber = Scrubber(self._node.optimizer.segments, self._node.optimizer.condemn)
        while await scrubber.step():
            pass
        await self._collections_say("optimizer_status", "ok")

    async def settled(self) -> None:
        """Return once there is nothing to seal, to merge, or to build graphs of."""
        await self.run(self._collections_say("status", "green"))

    async def _collections_say(self, key: str, value: str) -> None:
        for collection in (await self._ask("GET", "/collections"))["collections"]:
            while (await self._ask("GET", f"/collections/{collection['name']}"))[key] != value:
                await asyncio.sleep(_POLL_SECONDS)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The result of a request. Raises AssertionError when it is refused, what ended the node meanwhile."""
        return await self.run(self._ask(method, path, body))

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return await self.send(method, path, None if body is None else json.dumps(body).encode())

    async def send(self, method: str, path: str, body: bytes | None) -> Any:
        """The result of a request with that body. Raises AssertionError when it is refused."""
        answer = await self._client.request(method, path, content=body)
        result = answer.json()
        assert answer.status_code == 200, f"{method} {path} answered {answer.status_code}: {result}"
        return result["result"]

    async def end(self) -> None:
        """Stop as the server does."""
        self._running.cancel()
        await asyncio.wait([self._running])


@asynccontextmanager
async def open_node(data: Path) -> AsyncGenerator[Node]:
    """A node over a data folder. Raises what keeps it from being opened."""
    with patch("compose.embedded.SegmentBuilder", _Builder):
        opened = await EmbeddedNode.open(Settings(data=data))
    try:
        async with memory_client(create_app(make_services(opened)).answer) as client:
            node = Node(opened, client)
            try:
                yield node
            finally:
                await node.end()
    finally:
        await opened.close()

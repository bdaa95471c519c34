"""Large answers are encoded and sent in pieces, and others have their turn meanwhile."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from ingest.http import endpoint
from schemas.rest import pieces
from tests.rest.client import MemoryRest

POINTS = "/collections/c/points"
COUNT = 40
TEXT = "x" * 50
WHOLE = {"limit": COUNT, "with_payload": True, "with_vector": True}
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "scroll": ("POST", f"{POINTS}/scroll", WHOLE),
    "ordered": ("POST", f"{POINTS}/scroll", {**WHOLE, "order_by": "n"}),
    "retrieve": ("POST", POINTS, {**WHOLE, "ids": list(range(COUNT))}),
    "query": ("POST", f"{POINTS}/query", {**WHOLE, "query": [1, 2]}),
    "search": ("POST", f"{POINTS}/search", {**WHOLE, "vector": [1, 2]}),
    "batch": ("POST", f"{POINTS}/query/batch", {"searches": [{**WHOLE, "query": [1, 2]}] * 3}),
    "searches": ("POST", f"{POINTS}/search/batch", {"searches": [{**WHOLE, "vector": [1, 2]}] * 3}),
    "groups": ("POST", f"{POINTS}/query/groups", {**WHOLE, "query": [1, 2], "group_by": "g", "group_size": COUNT}),
    "facet": ("POST", "/collections/c/facet", {"key": "n", "limit": COUNT}),
    "pairs": ("POST", f"{POINTS}/search/matrix/pairs", {"sample": COUNT, "limit": COUNT}),
    "offsets": ("POST", f"{POINTS}/search/matrix/offsets", {"sample": COUNT, "limit": COUNT}),
    "ids only": ("POST", f"{POINTS}/query", {"limit": COUNT, "query": [1, 2], "with_payload": False}),
}


class Sent:
    """An application whose answers' messages are kept, and the turns that others had before each."""

    def __init__(self, client: MemoryRest) -> None:
        self._app = client.app
        self.bodies: list[bytes] = []
        self.turns = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def kept(message: Message) -> None:
            if message["type"] == "http.response.body":
                self.bodies.append(bytes(message["body"]))
            await send(message)

        others = asyncio.create_task(self._count())
        await self._app(scope, receive, kept)
        others.cancel()

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.turns += 1


async def ask(app: Sent, method: str, path: str, body: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://headwater") as client:
        return await client.request(method, path, json=body)


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_in_pieces(memory: MemoryRest, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    memory.create()
    memory.upsert(*[{"id": n, "vector": [n, 1], "payload": {"n": n, "g": n % 3, "t": TEXT}} for n in range(COUNT)])
    memory.result("PUT", "/collections/c/index", json={"field_name": "n", "field_schema": "integer"})
    method, path, body = REQUESTS[name]
    small = Sent(memory)
    whole = asyncio.run(ask(small, method, path, body))
    assert whole.status_code == 200
    assert len(small.bodies) == 1
    monkeypatch.setattr(endpoint, "LARGE_BYTES", 1000)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 300)
    large = Sent(memory)
    answer = asyncio.run(ask(large, method, path, body))
    assert answer.json()["result"] == whole.json()["result"]
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert len(large.bodies) > len(answer.content) // 600
    assert max(map(len, large.bodies)) < 600
    assert large.turns >= len(large.bodies) - 1


def test_a_large_point(memory: MemoryRest, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.create()
    memory.upsert({"id": 1, "vector": [1, 2], "payload": {"t": TEXT * 100}})
    monkeypatch.setattr(endpoint, "LARGE_BYTES", 1000)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 300)
    found = Sent(memory)
    answer = asyncio.run(ask(found, "GET", f"{POINTS}/1", None))
    assert answer.json()["result"] == {"id": 1, "payload": {"t": TEXT * 100}, "vector": [1.0, 2.0]}
    assert len(found.bodies) == 2

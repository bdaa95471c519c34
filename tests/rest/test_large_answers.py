"""Large answers are encoded and sent in pieces, and others have their turn meanwhile."""

import asyncio
import json
from typing import Any

import pytest

from ingest.http import endpoint
from schemas.rest import pieces
from tests.rest.client import MemoryRest
from tests.support.memory_http import MemoryAnswer, MemoryClient

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
    """What an application answers: the pieces of its bodies, and the turns that others had meanwhile."""

    def __init__(self, client: MemoryRest) -> None:
        self._app = client.app
        self.bodies: list[bytes] = []
        self.turns = 0

    async def ask(self, method: str, path: str, body: Any) -> MemoryAnswer:
        client = MemoryClient(self._app.answer)
        data = b"" if body is None else json.dumps(body).encode()
        others = asyncio.create_task(self._count())
        client.send(f"{method} {path} HTTP/1.1\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data)
        answer = await client.answer()
        others.cancel()
        await client.ended()
        self.bodies += answer.pieces
        return answer

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.turns += 1


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_in_pieces(memory: MemoryRest, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    memory.create()
    memory.upsert(*[{"id": n, "vector": [n, 1], "payload": {"n": n, "g": n % 3, "t": TEXT}} for n in range(COUNT)])
    memory.result("PUT", "/collections/c/index", json={"field_name": "n", "field_schema": "integer"})
    method, path, body = REQUESTS[name]
    small = Sent(memory)
    whole = asyncio.run(small.ask(method, path, body))
    assert whole.status == 200
    assert len(small.bodies) == 1
    monkeypatch.setattr(endpoint, "LARGE_BYTES", 1000)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 300)
    large = Sent(memory)
    answer = asyncio.run(large.ask(method, path, body))
    assert json.loads(answer.body)["result"] == json.loads(whole.body)["result"]
    assert (b"content-length", b"%d" % len(answer.body)) in answer.headers
    assert len(large.bodies) > len(answer.body) // 600
    assert max(map(len, large.bodies)) < 600
    assert large.turns >= len(large.bodies) - 1


def test_a_large_point(memory: MemoryRest, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.create()
    memory.upsert({"id": 1, "vector": [1, 2], "payload": {"t": TEXT * 100}})
    monkeypatch.setattr(endpoint, "LARGE_BYTES", 1000)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 300)
    found = Sent(memory)
    answer = asyncio.run(found.ask("GET", f"{POINTS}/1", None))
    assert json.loads(answer.body)["result"] == {"id": 1, "payload": {"t": TEXT * 100}, "vector": [1.0, 2.0]}
    assert len(found.bodies) == 2

"""What a worker answers over HTTP."""

import asyncio
from collections.abc import Sequence

from compose.http.server import HttpServer, bind
from compose.projector.admin import PartitionStatus, Status, create_admin_app
from ingest.http.asgi import answered_by
from tests.support.http import HOST, Answer, Http

GIVEN = PartitionStatus(topic="points", partition=3, caught_up=False, applied=None)


def ask(ready: bool, paths: Sequence[str]) -> list[Answer]:
    """The answers of a worker that is ready or not."""
    app = create_admin_app(Status(lambda: (ready, "a sentence"), lambda: [GIVEN]))

    async def main() -> list[Answer]:
        listener = bind(HOST, 0)
        server = HttpServer(answered_by(app), listener)
        serving = asyncio.create_task(server.run())
        try:
            return await asyncio.to_thread(_get_all, listener.getsockname()[1], paths)
        finally:
            server.stop()
            await serving

    return asyncio.run(main())


def _get_all(port: int, paths: Sequence[str]) -> list[Answer]:
    with Http(port) as http:
        return [http.get(path) for path in paths]


def test_a_worker_that_is_ready() -> None:
    readyz, livez, metrics, partitions = ask(True, ["/readyz", "/livez", "/metrics", "/partitions"])
    assert (readyz.status, readyz.body) == (200, b"a sentence")
    assert livez.status == 200
    assert metrics.headers["content-type"].startswith("text/plain")
    assert b"python_info" in metrics.body
    assert partitions.json() == [{"topic": "points", "partition": 3, "caught_up": False, "applied": None}]


def test_a_worker_that_is_not_ready_lives() -> None:
    readyz, livez = ask(False, ["/readyz", "/livez"])
    assert (readyz.status, readyz.body) == (503, b"a sentence")
    assert livez.status == 200

"""What a worker answers over HTTP: metrics, whether it lives, whether it has caught up, what it has."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from compose.http.metrics import exposition


class PartitionStatus(msgspec.Struct, frozen=True):
    """A partition that was given to this worker.

    ``caught_up``: with the log as it was when the partition was opened. ``applied``: the applied offset; none while
    the state is not open yet.
    """

    topic: str
    partition: int
    caught_up: bool
    applied: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """What the admin application asks."""

    ready: Callable[[], tuple[bool, str]]
    partitions: Callable[[], list[PartitionStatus]]


def create_admin_app(status: Status) -> Starlette:
    """The application: /livez, /readyz (200 once every partition has caught up, else 503), /metrics, /partitions."""

    async def livez(_: Request) -> Response:
        return PlainTextResponse("alive")

    async def readyz(_: Request) -> Response:
        ready, sentence = status.ready()
        return PlainTextResponse(sentence, 200 if ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(exposition(), media_type=CONTENT_TYPE_LATEST)

    async def partitions(_: Request) -> Response:
        return Response(msgspec.json.encode(status.partitions()), media_type="application/json")

    answers = {"/livez": livez, "/readyz": readyz, "/metrics": metrics, "/partitions": partitions}
    return Starlette(routes=[Route(path, answer) for path, answer in answers.items()])

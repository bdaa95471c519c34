"""What a worker answers over HTTP: metrics, whether it lives, whether it has caught up, what it has."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from compose.http.metrics import exposition


class PartitionStatus(BaseModel):
    """A partition that was given to this worker."""

    topic: str
    partition: int
    caught_up: bool
    """Whether it has caught up with the log as it was when it was opened."""
    applied: int | None
    """The applied offset; none while the state is not open yet."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the admin application asks."""

    ready: Callable[[], tuple[bool, str]]
    partitions: Callable[[], list[PartitionStatus]]


def create_admin_app(status: Status) -> FastAPI:
    """The application."""
    app = FastAPI(title="headwater projector", docs_url=None, redoc_url=None)

    @app.get("/livez", response_class=PlainTextResponse)
    async def livez() -> str:
        """Answered by a process that lives."""
        return "alive"

    @app.get("/readyz", response_class=PlainTextResponse)
    async def readyz(response: Response) -> str:
        """200 once every partition that was given to this worker has caught up with the log, else 503."""
        ready, sentence = status.ready()
        response.status_code = 200 if ready else 503
        return sentence

    @app.get("/metrics")
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(exposition(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/partitions")
    async def partitions() -> list[PartitionStatus]:
        """The partitions that were given to this worker."""
        return status.partitions()

    return app

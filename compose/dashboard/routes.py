"""Routes of the page and of what it asks for."""

from importlib.resources import files

from compose.dashboard.status import DashboardStatus, StatusReader
from compose.http.service import Readiness
from ingest.http.endpoint import Call, Endpoint, Reply

TAG = "Dashboard"
_POLICY = (
    b"content-security-policy",
    b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)
_PARTS = (
    ("/dashboard", "page.html", "text/html; charset=utf-8", "Dashboard"),
    ("/dashboard/page.css", "page.css", "text/css; charset=utf-8", "Style of the dashboard"),
    ("/dashboard/page.js", "page.js", "text/javascript; charset=utf-8", "Script of the dashboard"),
)


class DashboardRoutes:
    """The page, which anybody may load, and its numbers, which take a key that may read."""

    def __init__(self, status: StatusReader, readiness: Readiness, version: str) -> None:
        self._status = status
        self._readiness = readiness
        self._version = version

    def endpoints(self) -> list[Endpoint]:
        """The routes."""
        return [
            *(_part(*part) for part in _PARTS),
            Endpoint("GET", "/dashboard/status", self._answer, "What the dashboard shows", TAG, result=DashboardStatus),
        ]

    async def _answer(self, _: Call) -> Reply:
        ready, sentence = self._readiness.ready()
        status = self._status
        return Reply(
            DashboardStatus(
                f"headwater {self._version}",
                sentence,
                await status.collections() if ready else [],
                await status.partitions(),
                await status.rejected(),
            )
        )


def _part(path: str, name: str, kind: str, summary: str) -> Endpoint:
    data = files("compose.dashboard").joinpath(name).read_bytes()
    reply_type = kind.encode()

    async def answer(_: Call) -> Reply:
        return Reply(raw=data, content_type=reply_type, headers=(_POLICY, (b"cache-control", b"no-cache")))

    return Endpoint("GET", path, answer, summary, TAG, enveloped=False, media_type=kind.partition(";")[0])

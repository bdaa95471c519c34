"""What is answered before there is anything to answer from: that the process lives, and why it isn't ready."""

from collections.abc import Mapping, Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from compose.http.access import Access
from compose.http.guarded import endpoint_tree, refusal
from compose.http.service import Readiness, ServiceRoutes
from ingest.http.endpoint import Call, Endpoint, EndpointApp, Reply
from ingest.http.limits import InFlight, Limits
from ingest.ports import CollectionEntry
from schemas.errors import UnavailableError


class StartingApp:
    """An ASGI application: the service's own routes, and 503 for everything else."""

    def __init__(self, readiness: Readiness, limits: Limits, version: str, access: Access | None = None) -> None:
        self._access = access or Access()
        not_yet = _NotYet(readiness)
        in_flight = InFlight(limits.max_in_flight_bytes)
        self._tree = endpoint_tree(ServiceRoutes(not_yet, readiness, version, "").endpoints(), limits, in_flight)
        rest = Endpoint("any", "other", not_yet.answer, "Anything else", "Starting", body=object)
        self._rest = EndpointApp(rest, limits, in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self._tree.find(scope["method"], scope["path"])
        if found is not None and self._access.restricted:
            answer = refusal(self._access, scope, found)
            if answer is not None:
                await answer(scope, receive, send)
                return
        app, scope["path_params"] = (self._rest, {}) if found is None else (found.app, found.parameters)
        await app(scope, receive, send)


class SwitchedApp:
    """An ASGI application that becomes another one: requests go to ``app`` as it is when they come."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.app(scope, receive, send)


class _NotYet:
    """A catalog that can't be asked yet, and an answer that can't be given."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    def _error(self) -> UnavailableError:
        return UnavailableError(f"Not ready yet: {self._readiness.ready()[1]}")

    async def answer(self, _: Call) -> Reply:
        raise self._error()

    def resolve(self, name: str) -> CollectionEntry:
        raise self._error()

    def staged(self, name: str) -> CollectionEntry | None:
        raise self._error()

    def collections(self) -> Sequence[CollectionEntry]:
        raise self._error()

    def aliases(self) -> Mapping[str, str]:
        raise self._error()

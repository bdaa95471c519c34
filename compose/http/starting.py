"""What is answered before there is anything to answer from: that the process lives, and why it isn't ready."""

from collections.abc import Awaitable, Mapping, Sequence

from compose.http.access import Access
from compose.http.guarded import endpoint_tree, refused
from compose.http.service import Readiness, ServiceRoutes
from ingest.http.endpoint import Call, Endpoint, EndpointApp, Reply
from ingest.http.exchange import App, Exchange
from ingest.http.limits import InFlight, Limits
from ingest.ports import CollectionEntry
from schemas.errors import UnavailableError


class StartingApp:
    """Answers the service's own routes, and 503 everything else."""

    def __init__(self, readiness: Readiness, limits: Limits, version: str, access: Access | None = None) -> None:
        self._access = access or Access()
        not_yet = _NotYet(readiness)
        in_flight = InFlight(limits.max_in_flight_bytes)
        self._tree = endpoint_tree(ServiceRoutes(not_yet, readiness, version, "").endpoints(), limits, in_flight)
        rest = Endpoint("any", "other", not_yet.answer, "Anything else", "Starting", body=object)
        self._rest = EndpointApp(rest, limits, in_flight)

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        found = self._tree.find(exchange.head.method, exchange.head.path)
        if found is None:
            await self._rest.answer(exchange, {})
        elif not (self._access.restricted and refused(self._access, exchange, found)):
            await found.answer(exchange, found.parameters)


class SwitchedApp:
    """Answers as another application, which may be changed: requests go to ``app`` as it is when they come."""

    def __init__(self, app: App) -> None:
        self.app = app

    def answer(self, exchange: Exchange) -> Awaitable[None]:
        """Answer one request."""
        return self.app(exchange)


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

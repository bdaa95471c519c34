"""Cross-origin requests, so that pages in a browser may call the server."""

from collections.abc import Sequence

from ingest.http.head import Head, RawHeaders, find_header

ANY_ORIGIN = "*"
_METHODS = b"GET, POST, HEAD, OPTIONS, CONNECT, TRACE, DELETE, PATCH, PUT"
_VARY = (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
_MAX_AGE = (b"access-control-max-age", b"3600")


class Cors:
    """Which origins may call. By default any, as in Qdrant; without origins, none is told that it may."""

    def __init__(self, origins: Sequence[str] = (ANY_ORIGIN,)) -> None:
        self._any = ANY_ORIGIN in origins
        self._origins = frozenset(origin.encode() for origin in origins)

    def allows(self, origin: bytes) -> bool:
        """Whether pages of this origin may call."""
        return self._any or origin in self._origins

    def preflight(self, head: Head, origin: bytes) -> RawHeaders | None:
        """The headers that answer a browser's question whether it may send a request; None when this is none."""
        if head.method != "OPTIONS" or find_header(head.headers, b"access-control-request-method") is None:
            return None
        answer = [*self.allowed(origin), (b"access-control-allow-methods", _METHODS), _MAX_AGE]
        asked = find_header(head.headers, b"access-control-request-headers")
        if asked is not None:
            answer.append((b"access-control-allow-headers", asked))
        return answer

    def allowed(self, origin: bytes) -> RawHeaders:
        """The headers that say that ``origin`` may read an answer."""
        return (b"access-control-allow-origin", origin), _VARY

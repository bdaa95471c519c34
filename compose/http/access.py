"""Who may call what: API keys, as Qdrant takes them. Keys are compared in constant time, and never logged."""

from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest

from compose.http.rights import Right
from ingest.http.head import RawHeaders
from schemas.errors import HeadwaterError

_BEARER = b"Bearer "


class UnauthenticatedError(HeadwaterError):
    """No key, or one that is not known."""

    status = 401


class ForbiddenError(HeadwaterError):
    """The key doesn't give the right that the route takes."""

    status = 403


class Access:
    """The keys of a server. Without any, everybody may do everything."""

    def __init__(self, keys: Sequence[str] = (), read_only_keys: Sequence[str] = ()) -> None:
        """``keys`` give all rights, ``read_only_keys`` those to read; several of each, so that they can be rotated."""
        self._known = [
            *((_digest(key.encode(errors="surrogateescape")), Right.MANAGE) for key in keys),
            *((_digest(key.encode(errors="surrogateescape")), Right.READ) for key in read_only_keys),
        ]
        self.restricted = bool(self._known)
        """Whether a key is asked for."""

    def check(self, headers: RawHeaders, required: Right | None) -> None:
        """Let whoever sent ``headers`` do what takes ``required``; None: what there is no route for.

        Raises UnauthenticatedError, ForbiddenError.
        """
        if not self._known or required is Right.NONE:
            return
        held = self._right(headers)
        if required is not None and held < required:
            raise ForbiddenError("Forbidden: Global manage access is required")

    def _right(self, headers: RawHeaders) -> Right:
        key = _key_of(headers)
        if key is None:
            raise UnauthenticatedError("Must provide an API key or an Authorization bearer token")
        digest, found = _digest(key), Right.NONE
        # Every key is looked at: how long it takes tells nothing about which one it was.
        for known, right in self._known:
            if compare_digest(digest, known):
                found = max(found, right)
        if found is Right.NONE:
            raise UnauthenticatedError("Invalid API key or JWT")
        return found


def _key_of(headers: RawHeaders) -> bytes | None:
    """The ``api-key`` header, else the token of ``authorization``."""
    bearer = None
    for name, value in headers:
        if name == b"api-key":
            return value
        if name == b"authorization" and value.startswith(_BEARER):
            bearer = value[len(_BEARER) :]
    return bearer


def _digest(key: bytes) -> bytes:
    # Of equal length, whatever a client sends.
    return sha256(key).digest()

"""Requests to a server, tried again for a while where that may help."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec
import structlog

from compose.errors import UserError

TRIES = 6
"""The last after half a minute."""
_TIMEOUT = httpx.Timeout(120.0, connect=10.0)
_TRIED_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_logger = structlog.get_logger("headwater.importing")
ResultT = TypeVar("ResultT")


class _Answer(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw(b"null")


class Client:
    """One server. A context manager."""

    def __init__(self, url: str, api_key: str | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self.url = url.rstrip("/")
        headers = {} if api_key is None else {"api-key": api_key}
        try:
            self._client = httpx.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT, trust_env=False)
        except (httpx.InvalidURL, ValueError) as error:
            raise UserError(f"{url} is not a URL of a server: {error}") from error
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str) -> Any:
        """The result of a GET. Raises UserError."""
        return self.ask("GET", path)

    def ask(self, method: str, path: str, body: object = None, params: Mapping[str, str] | None = None) -> Any:
        """The result of any request, parsed. Raises UserError."""
        parsed: Any = self.parsed(object, method, path, body, params)
        return parsed

    def parsed(
        self,
        kind: type[ResultT],
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, str] | None = None,
    ) -> ResultT:
        """The result of any request as ``kind``. Raises UserError."""
        content = None if body is None else msgspec.json.encode(body)
        data = self._send(method, path, content, params)
        try:
            result = msgspec.json.decode(data, type=_Answer).result
            return msgspec.json.decode(bytes(result), type=kind)
        except msgspec.DecodeError as error:
            raise UserError(f"{method} {self.url}{path}: not the answer of Qdrant's REST API: {error}") from error

    def _send(self, method: str, path: str, content: bytes | None, params: Mapping[str, str] | None) -> bytes:
        headers = {} if content is None else {"content-type": "application/json"}
        reason = ""
        for wait in [2.0**n for n in range(TRIES - 1)] + [None]:
            try:
                answer = self._client.request(method, path, content=content, params=params, headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = str(error) or type(error).__name__
            else:
                if answer.is_success:
                    return answer.content
                reason = f"answered {answer.status_code}: {answer.text[:500]}"
                if answer.status_code not in _TRIED_AGAIN:
                    break
            if wait is not None:
                _logger.warning("trying again", url=f"{self.url}{path}", reason=reason, seconds=wait)
                self._sleep(wait)
        raise UserError(f"{method} {self.url}{path}: {reason}")


def path_of(collection: str, rest: str = "") -> str:
    """The path of a collection, and what is below it."""
    return f"/collections/{quote(collection, safe='')}{rest}"

"""HTTP without conveniences: one kept connection, any bytes as a body, whatever comes back."""

import http.client
import json
import select
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """An HTTP response, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed. Raises ValueError when it isn't JSON, NaN and Infinity included."""
        return json.loads(self.body, parse_constant=_refuse_constant)

    @property
    def result(self) -> Any:
        """The result of a request that worked."""
        if self.status != 200:
            raise AssertionError(f"answered {self.status}: {self.body[:500]!r}")
        return self.json()["result"]

    @property
    def error(self) -> str:
        """The message of a request that did not."""
        if self.status < 400:
            raise AssertionError(f"answered {self.status}, not an error: {self.body[:500]!r}")
        message: str = self.json()["status"]["error"]
        return message


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class Http:
    """One kept connection to a server on this machine; connects again after the server closed it."""

    def __init__(self, port: int, timeout: float = 60.0) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def send(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a body as it is. Raises OSError or HTTPException when there is no whole answer."""
        sent = {"Content-Type": "application/json"} if headers is None else headers
        if self._was_closed():
            self._connection.close()  # which has the request open another
        try:
            self._connection.request(method, path, body=body, headers=sent)
            response = self._connection.getresponse()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return answer

    def _was_closed(self) -> bool:
        """Whether the server closed the connection, as it does with one that is idle for long."""
        if self._connection.sock is None:
            return False
        poll = select.poll()
        poll.register(self._connection.sock, select.POLLIN)
        return bool(poll.poll(0))

    def get(self, path: str) -> Answer:
        """GET."""
        return self.send("GET", path)

    def delete(self, path: str) -> Answer:
        """DELETE."""
        return self.send("DELETE", path)

    def put(self, path: str, body: object) -> Answer:
        """PUT, the body as JSON."""
        return self.send("PUT", path, json.dumps(body).encode())

    def post(self, path: str, body: object) -> Answer:
        """POST, the body as JSON."""
        return self.send("POST", path, json.dumps(body).encode())

    def patch(self, path: str, body: object) -> Answer:
        """PATCH, the body as JSON."""
        return self.send("PATCH", path, json.dumps(body).encode())

"""Answers by ASGI applications: files, and pages that a framework makes."""

from starlette.types import ASGIApp, Message, Scope

from ingest.http.exchange import App, ClientGoneError, Exchange
from ingest.http.head import RawHeaders


def answered_by(app: ASGIApp) -> App:
    """What answers requests as ``app`` does."""

    async def answer(exchange: Exchange) -> None:
        await answer_by(app, exchange)

    return answer


async def answer_by(app: ASGIApp, exchange: Exchange) -> None:
    """Have ``app`` answer a request. Raises what it raises, and RuntimeError for messages that are out of order."""
    head = exchange.head
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": head.version,
        "method": head.method,
        "scheme": "http",
        "path": head.path,
        "raw_path": head.raw_path,
        "query_string": head.query,
        "root_path": "",
        "headers": head.headers,
        "state": {},
    }
    messages = _Messages(exchange)
    await app(scope, messages.receive, messages.send)


class _Messages:
    """An exchange as an application's messages."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._received = self._started = self._ended = False

    async def receive(self) -> Message:
        exchange = self._exchange
        if self._received:
            await exchange.left()
            return {"type": "http.disconnect"}
        try:
            data = await exchange.receive()
        except ClientGoneError:
            return {"type": "http.disconnect"}
        self._received = not data
        return {"type": "http.request", "body": data, "more_body": not self._received}

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start" and not self._started:
            self._started = True
            self._start(message["status"], message.get("headers", ()))
        elif kind == "http.response.body" and self._started and not self._ended:
            if body := message.get("body", b""):
                await self._exchange.write(body)
            if not message.get("more_body", False):
                self._ended = True
                self._exchange.finish()
        else:
            raise RuntimeError(f"{kind} is out of order")

    def _start(self, status: int, headers: RawHeaders) -> None:
        length: int | None = None
        close = False
        kept: list[tuple[bytes, bytes]] = []
        for name, value in headers:
            if name == b"content-length":
                length = int(value)
            elif name == b"connection":
                close = b"close" in value.lower()
            else:
                kept.append((name, value))
        self._exchange.start(status, kept, length, close=close)

"""Errors in Qdrant's shape, for what no endpoint answers."""

from ingest.http.endpoint import JSON_TYPE
from ingest.http.exchange import Exchange
from schemas.rest.envelope import encode_error


def answer_error(exchange: Exchange, status: int, message: str) -> None:
    """Answer with ``message``."""
    exchange.answer(status, JSON_TYPE, (), encode_error(message, 0.0))

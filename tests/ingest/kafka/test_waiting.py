"""Waiting at a partition's end: whatever ends the watch there, who waits is told."""

import asyncio
from typing import Any, cast

import pytest
from aiokafka.protocol.api import Request, Response

from ingest.kafka.client import KafkaClient
from ingest.kafka.connection import Connection
from ingest.kafka.reader import PartitionReader
from ingest.kafka.settings import KafkaSettings
from tests.ingest.log_contract import within

SETTINGS = KafkaSettings(bootstrap_servers="nowhere:1")


class NothingMore:
    """The answer to a fetch at the end of an empty partition."""

    API_VERSION = 4

    def get_item(self, _: str) -> Any:
        return [("t", [(0, 0, 0, 0, [], b"")])]


class Surprising(Connection):
    """Answers once that there is nothing more, and then fails in a way that nobody foresaw."""

    def __init__(self, surprise: Exception) -> None:
        super().__init__(cast("KafkaClient", None), SETTINGS)
        self.surprise = surprise
        self.asked = 0

    async def to_leader(self, topic: str, partition: int, request: Request[Any], channel: int) -> Response:
        self.asked += 1
        await asyncio.sleep(0)
        if self.asked > 1:
            raise self.surprise
        return cast("Response", NothingMore())


def test_who_waits_is_told_of_any_error() -> None:
    async def check() -> None:
        surprise = RuntimeError("a surprise")
        reader = PartitionReader(Surprising(surprise), SETTINGS, "t", 0)
        with pytest.raises(RuntimeError) as raised:
            await reader.wait(0)
        assert raised.value is surprise

    within(check())

"""Appending to one partition, over a connection whose answers the test makes up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.api import Request, Response

from ingest.byte_budget import ByteBudget
from ingest.kafka.appender import PartitionAppender
from ingest.kafka.client import KafkaClient
from ingest.kafka.connection import Connection
from ingest.kafka.settings import KafkaSettings
from ingest.log import LogRefusedError, LogUnavailableError, Message
from tests.ingest.log_contract import within

SETTINGS = KafkaSettings(bootstrap_servers="nowhere:1")


class Answer:
    """A response that has all items that appending asks for."""

    def __init__(self, offset: int = 0, code: int = 0) -> None:
        self._items: dict[str, Any] = {
            "error_code": 0,
            "producer_id": 1,
            "producer_epoch": 0,
            "topics": [("t", [(0, code, offset)])],
        }

    def get_item(self, name: str) -> Any:
        return self._items[name]


class Scripted(Connection):
    """``producing`` and ``sending`` answer the requests for a producer and those that send a batch."""

    def __init__(self) -> None:
        super().__init__(cast("KafkaClient", None), SETTINGS)
        self.producing: Callable[[], Awaitable[Answer]] = answering(Answer())
        self.sending: Callable[[], Awaitable[Answer]] = answering(Answer())

    async def refresh(self) -> None:
        """Nobody leads anything else."""

    async def to_any(self, request: Request[Any]) -> Response:
        return cast("Response", await self.producing())

    async def to_leader(self, topic: str, partition: int, request: Request[Any], channel: int) -> Response:
        return cast("Response", await self.sending())


def answering(answer: Answer | Exception) -> Callable[[], Awaitable[Answer]]:
    async def respond() -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return respond


def appender(connection: Connection, budget: ByteBudget) -> PartitionAppender:
    return PartitionAppender(connection, SETTINGS, "t", 0, 1 << 20, budget)


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_an_unforeseen_error_is_told_and_leaves_nothing_behind() -> None:
    async def check() -> None:
        connection, budget = Scripted(), ByteBudget(1 << 20)
        appending = appender(connection, budget)
        surprise = RuntimeError("a surprise")
        connection.producing = answering(surprise)
        with pytest.raises(LogUnavailableError, match=r"t-0 could not be written: .*a surprise") as raised:
            await appending.append([Message(b"1")])
        assert raised.value.__cause__ is surprise
        connection.producing, connection.sending = answering(Answer()), answering(surprise)
        with pytest.raises(LogUnavailableError, match="a surprise"):
            await appending.append([Message(b"2")])
        connection.sending = answering(Answer(7))
        wrong = cast("int", "no number")
        with pytest.raises(LogUnavailableError, match="TypeError"):
            await appending.append([Message(b"3", timestamp_ms=wrong)])
        assert budget.taken == 0
        assert await appending.append([Message(b"4")]) == 7
        assert budget.taken == 0

    within(check())


def test_an_append_given_up_as_another_is_acknowledged() -> None:
    async def check() -> None:
        connection, budget = Scripted(), ByteBudget(300)
        acknowledged: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        async def respond() -> Answer:
            return await acknowledged

        connection.sending = respond
        appending = appender(connection, budget)
        first = asyncio.create_task(appending.append([Message(bytes(200))]))
        await turns()
        second, third = (asyncio.create_task(appending.append([Message(bytes(200))])) for _ in range(2))
        await turns()
        # The answer and the end of the client's patience come in one turn of the event loop.
        acknowledged.set_result(Answer(5))
        second.cancel()
        assert await first == 5
        assert await third == 5
        assert second.cancelled()
        assert budget.taken == 0

    within(check())


@pytest.mark.parametrize(("code", "name"), [(87, "INVALID_RECORD|InvalidRecord"), (29, "TopicAuthorizationFailed")])
def test_what_kafka_refuses_is_not_on_the_log(code: int, name: str) -> None:
    async def check() -> None:
        connection, budget = Scripted(), ByteBudget(1 << 20)
        appending = appender(connection, budget)
        connection.sending = answering(Answer(-1, code))
        with pytest.raises(LogRefusedError, match=rf"t-0 could not be written: Kafka refuses it: .*({name})"):
            await appending.append([Message(b"1")])
        connection.sending = answering(Answer(7))
        assert await appending.append([Message(b"2")]) == 7

    within(check())


def test_what_is_refused_when_it_is_sent_again_may_be_on_the_log() -> None:
    async def check() -> None:
        connection, budget = Scripted(), ByteBudget(1 << 20)
        answers = iter([answering(KafkaConnectionError()), answering(Answer(-1, 87))])
        connection.sending = lambda: next(answers)()
        with pytest.raises(LogUnavailableError, match="87") as raised:
            await appender(connection, budget).append([Message(b"1")])
        assert not isinstance(raised.value, LogRefusedError)

    within(check())


def test_a_code_that_nobody_knows_is_named() -> None:
    async def check() -> None:
        connection = Scripted()
        connection.sending = answering(Answer(-1, 4711))
        with pytest.raises(LogUnavailableError, match="error code 4711"):
            await appender(connection, ByteBudget(1 << 20)).append([Message(b"1")])

    within(check())

"""The connection to a Kafka cluster: requests to the leader of a partition, and trying again within a time limit.

Built on aiokafka's client and protocol rather than on its producer and consumer. That producer, when idempotent,
tries for ever: what it was given while Kafka was down turns up whenever Kafka returns, after its writer was told
that it failed. That consumer can't say whether it has reached the end, and can't be moved while it waits there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Any, Self, TypeVar

from aiokafka import TopicPartition
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, LeaderNotAvailableError
from aiokafka.protocol.api import Request, Response

from ingest.kafka.client import KafkaClient
from ingest.kafka.errors import describe, unavailable
from ingest.kafka.reachability import reachability_of
from ingest.kafka.settings import KafkaSettings
from ingest.log import LogUnavailableError, LogUnreachableError

T = TypeVar("T")

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 1.0


class Connection:
    """Sends requests to brokers. Used from the event loop that opened it."""

    def __init__(self, client: KafkaClient, settings: KafkaSettings) -> None:
        """See ``open``."""
        self._client = client
        self._settings = settings
        self.reachability = reachability_of(settings.bootstrap_servers)
        self._closed = False
        # 0 and 1 are aiokafka's own.
        self._channels = count(2)

    @classmethod
    async def open(cls, settings: KafkaSettings) -> Self:
        """Reach one of the bootstrap servers. Raises LogUnavailableError."""
        where = f"Kafka can't be reached at {settings.bootstrap_servers}"
        try:
            client = KafkaClient(**settings.client_arguments(), retry_backoff_ms=int(FIRST_PAUSE * 1000))
        except OSError as error:
            raise LogUnavailableError(f"{where}: {error}") from error
        try:
            async with asyncio.timeout(settings.timeout):
                await client.bootstrap()
        except TimeoutError:
            await client.close()
            raise LogUnavailableError(f"{where}: no answer within {settings.timeout:g} s") from None
        except KafkaError as error:
            await client.close()
            reason = await _why_not(client, settings)
            raise unavailable(where, error) if reason is None else LogUnavailableError(f"{where}: {reason}") from error
        except BaseException:
            await client.close()
            raise
        return cls(client, settings)

    async def follow(self, topics: list[str]) -> None:
        """Keep what is known about ``topics``, which must exist, up to date."""
        await self._client.set_topics(topics)

    def new_channel(self) -> int:
        """A channel: its requests have a TCP connection of their own, and don't wait for those of others.

        A broker answers the requests of a connection one after the other: one that waits for records holds up the
        rest.
        """
        return next(self._channels)

    async def to_any(self, request: Request[Any]) -> Response:
        """The answer of some broker. Raises KafkaError, and LogUnavailableError when closed."""
        self._refuse_if_closed()
        node = self._client.get_random_node()
        if node is None:
            raise LeaderNotAvailableError("no broker is known")
        return await self._answer(self._client.send(node, request))

    async def to_leader(self, topic: str, partition: int, request: Request[Any], channel: int) -> Response:
        """The answer of the broker that leads the partition. Raises KafkaError, and LogUnavailableError when closed."""
        self._refuse_if_closed()
        node = self._client.cluster.leader_for_partition(TopicPartition(topic, partition))
        if node is None or node == -1:
            raise LeaderNotAvailableError(f"{topic}-{partition}")
        return await self._answer(self._client.send(node, request, group=channel))

    def brokers(self) -> list[int]:
        """The ids of the brokers, as last heard."""
        return sorted(broker.nodeId for broker in self._client.cluster.brokers())

    async def to_broker(self, node: int, request: Request[Any], channel: int) -> Response:
        """The answer of one broker. Raises KafkaError, and LogUnavailableError when closed."""
        self._refuse_if_closed()
        return await self._answer(self._client.send(node, request, group=channel))

    async def _answer(self, sending: Awaitable[Response]) -> Response:
        try:
            response = await sending
        except KafkaError as error:
            if not self._closed:
                self.reachability.failed(describe(error))
            raise
        self.reachability.heard()
        return response

    async def refresh(self) -> None:
        """Ask again who leads what."""
        await self._client.force_metadata_update()

    async def retried(self, attempt: Callable[[], Awaitable[T]], what: str, *, forever: bool = False) -> T:
        """What ``attempt`` returns, tried again while its KafkaError is one that may pass.

        Raises LogUnavailableError, saying that ``what`` failed, when trying again won't help, and unless ``forever``
        after the settings' timeout.
        """
        seconds = None if forever else self._settings.timeout
        last: KafkaError | None = None
        pause = FIRST_PAUSE
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        return await attempt()
                    except KafkaError as error:
                        if not error.retriable:
                            raise unavailable(what, error) from error
                        last = error
                    pause = await self.pause(pause, last)
        except TimeoutError:
            why = "" if last is None else f" ({describe(last)})"
            raise self.late(f"{what}: no answer from Kafka within {seconds:g} s{why}") from last

    def late(self, what: str) -> LogUnavailableError:
        """The error for what took too long."""
        return LogUnreachableError(what) if self.reachability.is_gone else LogUnavailableError(what)

    async def pause(self, seconds: float, error: KafkaError) -> float:
        """Let some time pass after ``error``, and how long to pause the next time."""
        if error.invalid_metadata:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.refresh()
        await asyncio.sleep(seconds)
        return min(2 * seconds, LONGEST_PAUSE)

    async def close(self) -> None:
        """Close every TCP connection; requests in flight fail, and are not tried again."""
        self._closed = True
        await self._client.close()

    def _refuse_if_closed(self) -> None:
        # aiokafka's client would connect again.
        if self._closed:
            raise LogUnavailableError("the log is closed")


async def _why_not(client: KafkaClient, settings: KafkaSettings) -> str | None:
    """Why no connection can be made: who bootstraps is not told whether it is the address, TLS or a password."""
    reason = None
    for host, port, _ in client.hosts:
        try:
            async with asyncio.timeout(settings.request_timeout):
                (await create_conn(host, port, **settings.connection_arguments())).close()
        except KafkaError as error:
            return describe(error)
        except (OSError, TimeoutError) as error:
            reason = str(error) or reason
    return reason

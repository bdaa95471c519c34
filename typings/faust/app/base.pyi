from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from faust.streams import Stream
from faust.topics import Topic
from faust.transport.drivers.aiokafka import Consumer, Transport
from yarl import URL

_Agent = TypeVar("_Agent", bound=Callable[[Stream], Awaitable[None]])
_Receiver = TypeVar("_Receiver", bound=Callable[..., Awaitable[None]])

class _Signal(Protocol):
    def connect(self, fun: _Receiver, *, weak: bool = ...) -> _Receiver: ...

class _Settings:
    broker_consumer: Sequence[URL]

class BootStrategy:
    enable_kafka_producer: bool | None
    enable_web: bool | None
    def __init__(self, app: App) -> None: ...

class App:
    BootStrategy: type[BootStrategy]
    conf: _Settings
    consumer: Consumer
    consumer_generation_id: int
    crash_reason: BaseException | None
    on_partitions_revoked: _Signal
    on_partitions_assigned: _Signal
    on_rebalance_complete: _Signal
    def __init__(
        self,
        id: str,
        *,
        broker: str = ...,
        autodiscover: bool = ...,
        broker_max_poll_interval: float = ...,
        broker_request_timeout: float = ...,
        broker_session_timeout: float = ...,
        key_serializer: str = ...,
        stream_recovery_delay: float = ...,
        stream_wait_empty: bool = ...,
        topic_allow_declare: bool = ...,
        topic_disable_leader: bool = ...,
        value_serializer: str = ...,
        web_enabled: bool = ...,
    ) -> None: ...
    @property
    def crashed(self) -> bool: ...
    @property
    def should_stop(self) -> bool: ...
    def agent(self, channel: Topic, *, name: str = ...) -> Callable[[_Agent], _Agent]: ...
    def topic(
        self, *topics: str, key_serializer: str = ..., value_serializer: str = ..., acks: bool = ...
    ) -> Topic: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def wait_until_stopped(self) -> None: ...
    def _create_directories(self) -> None: ...
    def _new_transport(self) -> Transport: ...

"""What a cluster says about itself: its id, and of topics their ids and partitions.

A topic that is deleted and created again has another id: that is how a log knows that it is another log. aiokafka
asks for metadata in a version without topic ids, so this one, version 10 (Kafka 2.8 and newer), is spelled out here.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from aiokafka.errors import IncompatibleBrokerVersion, NoError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from ingest.kafka.connection import Connection

_NO_ID = bytes(16)
_TAGS = ("tags", TaggedFields)
_REPLICAS = 4
"""Which field of a partition holds the brokers that have it."""


@dataclass(frozen=True, slots=True)
class TopicMetadata:
    """A topic as the cluster knows it; ``id`` as Kafka's own tools show it. ``replicas``: the fewest of a partition."""

    id: str
    partitions: int
    replicas: int


@dataclass(frozen=True, slots=True)
class ClusterState:
    """The cluster's id, and those of the topics that were asked for and exist, by name."""

    id: str
    topics: dict[str, TopicMetadata]


class _Uuid(AbstractType[bytes]):
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


class _MetadataResponse(Response):
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                _TAGS,
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        _TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                _TAGS,
            ),
        ),
        ("authorized_operations", Int32),
        _TAGS,
    )


class _MetadataRequestStruct(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class _MetadataRequest(Request[_MetadataRequestStruct]):
    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequestStruct]) -> _MetadataRequestStruct:
        # Never created by asking: a topic that is has a finite retention.
        named = [(_NO_ID, name, dict[int, bytes]()) for name in self._topics]
        return request_struct_class(named, False, False, False, {})


async def cluster_state(connection: Connection, topics: Sequence[str]) -> ClusterState:
    """Ask a broker about ``topics``; those that don't exist are left out. Raises KafkaError."""
    try:
        response = await connection.to_any(_MetadataRequest(topics))
    except NotImplementedError as error:
        raise IncompatibleBrokerVersion("topics have ids since Kafka 2.8, this one is older") from error
    found: dict[str, TopicMetadata] = {}
    answers: list[Any] = response.get_item("topics")
    for code, name, topic_id, _, partitions, _, _ in answers:
        error = for_code(code)
        if error is UnknownTopicOrPartitionError:
            continue
        if error is not NoError:
            raise error(f"topic {name}")
        replicas = min((len(partition[_REPLICAS]) for partition in partitions), default=0)
        found[name] = TopicMetadata(urlsafe_b64encode(topic_id).decode().rstrip("="), len(partitions), replicas)
    return ClusterState(response.get_item("cluster_id"), found)

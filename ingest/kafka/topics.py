"""The three topics: created with the settings a log needs, refused where existing ones have others."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import (
    InvalidPartitionsError,
    NoError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from ingest.kafka.connection import Connection
from ingest.kafka.errors import KafkaTopicError, describe
from ingest.kafka.metadata import ClusterState, cluster_state
from ingest.kafka.settings import KafkaSettings
from ingest.kafka.topic_settings import (
    FOR_EVER,
    IN_SYNC,
    REJECTED_EXTRA_BYTES,
    SIZE,
    default_replicas,
    faults,
    sure_replicas,
    topic_configs,
)
from ingest.log import Topic

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Topics:
    """What is known of the topics. ``max_bytes``: the largest batch of records each takes."""

    identity: str
    partitions: dict[Topic, int]
    max_bytes: dict[Topic, int]


async def prepare_topics(connection: Connection, settings: KafkaSettings, *, create: bool) -> Topics:
    """Create what is missing and add partitions (both only where ``create``), then check everything.

    Raises KafkaTopicError, LogUnavailableError.
    """
    admin = AIOKafkaAdminClient(**settings.client_arguments())
    await connection.retried(admin.start, f"Kafka can't be reached at {settings.bootstrap_servers}")
    try:
        return await _Preparation(connection, settings, admin).run(create=create)
    finally:
        await admin.close()


class _Preparation:
    def __init__(self, connection: Connection, settings: KafkaSettings, admin: AIOKafkaAdminClient) -> None:
        self._connection = connection
        self._settings = settings
        self._admin = admin
        self._names = {topic: settings.topic(topic) for topic in Topic}

    async def run(self, *, create: bool) -> Topics:
        state = await self._state()
        missing = [topic for topic in Topic if self._names[topic] not in state.topics]
        if missing and not create:
            names = ", ".join(self._names[topic] for topic in missing)
            raise KafkaTopicError(f"there is no log with the prefix {self._settings.prefix}: no topic {names}")
        if missing:
            await self._asking("topics could not be created", partial(self._create, missing))
            state = await self._asking("new topics do not turn up", partial(self._complete_state, 1))
        wanted = self._settings.partitions
        if create and wanted is not None and await self._grow(state, wanted):
            state = await self._asking("new partitions do not turn up", partial(self._complete_state, wanted))
        partitions = {topic: state.topics[self._names[topic]].partitions for topic in Topic}
        self._check_partitions(partitions)
        names = list(self._names.values())
        configs = await self._asking("topics could not be checked", lambda: topic_configs(self._connection, names))
        for fault in faults(self._names, configs, self._replicas(state)):
            raise KafkaTopicError(fault)
        sizes = {topic: int(configs[self._names[topic]][SIZE]) for topic in Topic}
        return Topics(_identity(state, self._settings), partitions, sizes)

    def _replicas(self, state: ClusterState) -> dict[Topic, int]:
        return {topic: state.topics[name].replicas for topic, name in self._names.items()}

    async def _asking(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        return await self._connection.retried(attempt, what)

    async def _state(self) -> ClusterState:
        names = list(self._names.values())
        return await self._asking("topics could not be listed", lambda: cluster_state(self._connection, names))

    async def _complete_state(self, wanted: int) -> ClusterState:
        """The state once every topic is there, and ``wanted`` points partitions: brokers learn of them one by one.

        New topics may have fewer than were asked for, when another process made them.
        """
        state = await cluster_state(self._connection, list(self._names.values()))
        points = state.topics.get(self._names[Topic.POINTS])
        if len(state.topics) < len(Topic) or points is None or points.partitions < wanted:
            raise UnknownTopicOrPartitionError("not all of them are there yet")
        return state

    async def _create(self, missing: list[Topic]) -> None:
        replicas: int | None = self._settings.replication_factor
        if replicas == -1:
            replicas = await default_replicas(self._connection)
        response = await self._admin.create_topics([self._new_topic(topic, replicas) for topic in missing])
        errors: list[Any] = response.get_item("topic_errors")
        for name, code, *rest in errors:
            error = for_code(code)
            if error in (NoError, TopicAlreadyExistsError):
                continue
            why = rest[0] if rest and rest[0] else describe(error())
            if error.retriable:
                raise error(f"{name}: {why}")
            raise KafkaTopicError(f"topic {name} could not be created: {why}")

    def _new_topic(self, topic: Topic, expected: int | None) -> NewTopic:
        """``expected``: how many replicas it will have; None where that is not known."""
        size = self._settings.max_record_bytes + (REJECTED_EXTRA_BYTES if topic is Topic.REJECTED else 0)
        configs = FOR_EVER | {SIZE: str(size)}
        if expected is not None:
            configs[IN_SYNC] = str(sure_replicas(expected))
        partitions = (self._settings.partitions or 1) if topic is Topic.POINTS else 1
        replicas = self._settings.replication_factor
        # aiokafka takes "as the brokers do" only together with assignments, which may be none.
        return NewTopic(self._names[topic], partitions, replicas, {} if replicas == -1 else None, configs)

    async def _grow(self, state: ClusterState, wanted: int) -> bool:
        name = self._names[Topic.POINTS]
        if state.topics[name].partitions >= wanted:
            return False

        async def add() -> None:
            # Somebody else may have added them meanwhile.
            with suppress(InvalidPartitionsError):
                await self._admin.create_partitions({name: NewPartitions(wanted)})

        await self._asking(f"{name} could not be given {wanted} partitions", add)
        return True

    def _check_partitions(self, partitions: dict[Topic, int]) -> None:
        wanted = self._settings.partitions
        if wanted is not None and partitions[Topic.POINTS] > wanted:
            raise KafkaTopicError(
                f"{self._names[Topic.POINTS]} has {partitions[Topic.POINTS]} partitions, and {wanted} were asked for: "
                "partitions may be added, never taken away"
            )
        for topic in (Topic.CATALOG, Topic.REJECTED):
            if partitions[topic] != 1:
                raise KafkaTopicError(
                    f"{self._names[topic]} has {partitions[topic]} partitions and must have one. Partitions can't be "
                    "taken away: use another prefix, or delete the topic if nothing in it is needed."
                )


def _identity(state: ClusterState, settings: KafkaSettings) -> str:
    catalog, points = (state.topics[settings.topic(topic)].id for topic in (Topic.CATALOG, Topic.POINTS))
    return f"kafka:{state.id}/{catalog}/{points}"


async def look_again(connection: Connection, settings: KafkaSettings, identity: str) -> tuple[dict[Topic, int], str]:
    """How many partitions the topics of the log ``identity`` have now, and what is wrong with their settings, or "".

    Raises KafkaError, and KafkaTopicError when other topics have their names.
    """
    names = {topic: settings.topic(topic) for topic in Topic}
    state = await cluster_state(connection, list(names.values()))
    missing = [name for name in names.values() if name not in state.topics]
    if missing:
        raise UnknownTopicOrPartitionError(f"there is no topic {', '.join(missing)} any more")
    if _identity(state, settings) != identity:
        raise KafkaTopicError(
            f"the topics {settings.prefix}.* were deleted and created again: they are another log now. Start again, "
            "with a state folder for that log."
        )
    configs = await topic_configs(connection, list(names.values()))
    fault = next(faults(names, configs, {topic: state.topics[name].replicas for topic, name in names.items()}), "")
    return {topic: state.topics[name].partitions for topic, name in names.items()}, fault


async def count_partitions(connection: Connection, name: str) -> int:
    """How many partitions the topic ``name`` has now. Raises KafkaError."""
    state = await cluster_state(connection, [name])
    if name not in state.topics:
        raise UnknownTopicOrPartitionError(f"there is no topic {name} any more")
    return state.topics[name].partitions

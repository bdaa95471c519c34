"""The settings of topics: what a log needs of them, and asking which they have."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiokafka.errors import ClusterAuthorizationFailedError, NoError, for_code
from aiokafka.protocol.admin import DescribeConfigsRequest

from ingest.kafka.connection import Connection
from ingest.log import Topic

REJECTED_EXTRA_BYTES = 1 << 20
"""How much larger a record may be on the rejected topic, for the headers it adds."""
SIZE = "max.message.bytes"
IN_SYNC = "min.insync.replicas"
FOR_EVER = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}

_SURE_REPLICAS = 2
"""So many have a record before it is acknowledged, where a topic has as many: one of them may be lost."""
_LOSSES = {
    "cleanup.policy": "Kafka would drop records that later ones with the same key supersede",
    "retention.ms": "Kafka would drop records when they are old",
    "retention.bytes": "Kafka would drop records when there are many",
    "unclean.leader.election.enable": "Kafka could drop acknowledged records when a broker fails",
}
_NEEDED = FOR_EVER | {"unclean.leader.election.enable": "false"}
_KEPT: dict[Topic, tuple[str, ...]] = {
    Topic.CATALOG: tuple(_LOSSES),
    Topic.POINTS: tuple(_LOSSES),
    # No state depends on it, so how long to keep it is the operator's choice; compaction refuses records without key.
    Topic.REJECTED: ("cleanup.policy",),
}
_TOPIC, _BROKER = 2, 4
"""Kinds of resources, as Kafka's protocol numbers them."""


def sure_replicas(replicas: int) -> int:
    """The ``min.insync.replicas`` of a topic with so many replicas."""
    return min(_SURE_REPLICAS, replicas)


def faults(
    names: Mapping[Topic, str], configs: Mapping[str, Mapping[str, str]], replicas: Mapping[Topic, int]
) -> Iterator[str]:
    """What of the topics' settings would lose records, or stop writing, a sentence each that says how to mend it.

    ``configs``: a topic's name -> its settings.
    """
    for topic, name in names.items():
        config = configs[name]
        for setting in _KEPT[topic]:
            value = config.get(setting, _NEEDED[setting])
            if value != _NEEDED[setting]:
                yield f"{name} has {setting}={value}: {_LOSSES[setting]}. {_remedy(name, setting, _NEEDED[setting])}"
        yield from _in_sync_faults(topic, name, int(config.get(IN_SYNC, 1)), replicas[topic])
    points, rejected = (configs[names[topic]] for topic in (Topic.POINTS, Topic.REJECTED))
    least = int(points[SIZE]) + REJECTED_EXTRA_BYTES
    if int(rejected[SIZE]) < least:
        name = names[Topic.REJECTED]
        yield (
            f"{name} has {SIZE}={rejected[SIZE]}: it must take every record of {names[Topic.POINTS]} and what is added "
            f"to it. {_remedy(name, SIZE, str(least))}"
        )


def _in_sync_faults(topic: Topic, name: str, least: int, replicas: int) -> Iterator[str]:
    sure = sure_replicas(replicas)
    if least > replicas:
        yield (
            f"{name} has {IN_SYNC}={least} and {replicas} replicas: nothing can be written to it. "
            f"{_remedy(name, IN_SYNC, str(sure))}"
        )
    elif least < sure and topic is not Topic.REJECTED:
        yield (
            f"{name} has {IN_SYNC}={least} and {replicas} replicas: Kafka would acknowledge records that only one "
            f"broker has. {_remedy(name, IN_SYNC, str(sure))}"
        )


def _remedy(topic: str, setting: str, value: str) -> str:
    command = f"kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {setting}={value}"
    return f"Change that: {command}"


async def topic_configs(connection: Connection, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """The settings of topics, by the topic's name. Raises KafkaError."""
    request = DescribeConfigsRequest([(_TOPIC, name, None) for name in names])
    response = await connection.to_any(request)
    return dict(_configs(response.get_item("resources")))


async def default_replicas(connection: Connection) -> int | None:
    """How many replicas brokers give a topic that doesn't say it; None where this client may not ask.

    Raises KafkaError.
    """
    node, setting = connection.brokers()[0], "default.replication.factor"
    request = DescribeConfigsRequest([(_BROKER, str(node), [setting])])
    response = await connection.to_broker(node, request, 0)
    try:
        configs = dict(_configs(response.get_item("resources")))
    except ClusterAuthorizationFailedError:
        return None
    return int(configs[str(node)][setting])


def _configs(resources: list[Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for code, message, _, name, entries in resources:
        error = for_code(code)
        if error is not NoError:
            raise error(f"the settings of {name} can't be read{f': {message}' if message else ''}")
        yield name, {entry[0]: entry[1] for entry in entries}

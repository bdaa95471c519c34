"""Committed offsets of consumer groups, read and written without being a member of the group.

A group's offsets live with one broker, its coordinator, which may move. A commit of somebody who is no member carries
generation -1 and no member's name; brokers take it only while the group has no members.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from aiokafka.errors import KafkaError, NoError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest, ListGroupsRequest
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest

from ingest.kafka.connection import Connection
from ingest.kafka.settings import KafkaSettings
from ingest.log import Topic

T = TypeVar("T")

Offsets = Mapping[tuple[Topic, int], int]
"""(topic, partition) -> committed offset: the next one that the group will read."""

_GROUP = 0
_NO_GENERATION = -1
_NO_MEMBER = ""
_AS_THE_BROKER = -1
_NO_SUCH_GROUP = 69


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a consumer group: its client id, and where it connects from."""

    name: str
    host: str


class GroupOffsets:
    """What consumer groups committed on a deployment's topics, and who is in them. Used from one event loop.

    Every method tries again within the settings' timeout, and then raises LogUnavailableError, as it does at once for
    what trying again doesn't help: no right to a group, say.
    """

    def __init__(self, connection: Connection, settings: KafkaSettings) -> None:
        """See ``open``."""
        self._connection = connection
        self._topics = {settings.topic(topic): topic for topic in Topic}
        self._names = {topic: name for name, topic in self._topics.items()}
        self._channel = connection.new_channel()
        self._coordinators: dict[str, int] = {}

    @classmethod
    async def open(cls, settings: KafkaSettings) -> Self:
        """Reach Kafka over a connection of its own. Raises LogUnavailableError."""
        return cls(await Connection.open(settings), settings)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def committed(self, group: str) -> Offsets:
        """Where ``group`` stands on the deployment's topics; without those on which it never committed anything."""
        return await self._with_coordinator(group, "could not be read", lambda node: self._fetch(node, group))

    async def commit(self, group: str, offsets: Offsets) -> None:
        """Let ``group`` stand at ``offsets``, from which it may be moved in any direction.

        Raises LogUnavailableError also when the group has members: then only they may commit.
        """
        await self._with_coordinator(group, "could not be committed", lambda node: self._commit(node, group, offsets))

    async def members(self, group: str) -> list[Member]:
        """Who is in ``group`` now; nobody where there is no such group."""
        return await self._with_coordinator(group, "could not be read", lambda node: self._describe(node, group))

    async def list_groups(self) -> list[str]:
        """The names of all groups in the cluster, members or not, sorted."""
        return await self._connection.retried(self._list, "the consumer groups could not be listed")

    async def all_committed(self) -> dict[str, Offsets]:
        """Where every group stands that has committed offsets on the deployment's topics."""
        found = {group: await self.committed(group) for group in await self.list_groups()}
        return {group: offsets for group, offsets in found.items() if offsets}

    async def _with_coordinator(self, group: str, what: str, ask: Callable[[int], Awaitable[T]]) -> T:
        async def attempt() -> T:
            node = self._coordinators.get(group)
            if node is None:
                node = self._coordinators[group] = await self._find(group)
            try:
                return await ask(node)
            except KafkaError:
                # Whatever it was, another broker may be the one to ask by now.
                self._coordinators.pop(group, None)
                raise

        return await self._connection.retried(attempt, f"offsets of the consumer group {group} {what}")

    async def _find(self, group: str) -> int:
        response = await self._connection.to_any(FindCoordinatorRequest(group, _GROUP))
        _check(response.get_item("error_code"), group)
        return response.get_item("coordinator_id")

    async def _fetch(self, node: int, group: str) -> Offsets:
        response = await self._connection.to_broker(node, OffsetFetchRequest(group, None), self._channel)
        _check(response.get_item("error_code"), group)
        found: dict[tuple[Topic, int], int] = {}
        answers: list[Any] = response.get_item("topics")
        for name, partitions in answers:
            topic = self._topics.get(name)
            if topic is None:
                continue
            for partition, offset, _, code in partitions:
                _check(code, f"{group} on {name}-{partition}")
                if offset >= 0:
                    found[topic, partition] = offset
        return found

    async def _commit(self, node: int, group: str, offsets: Offsets) -> None:
        by_topic: dict[str, list[tuple[int, int, str]]] = {}
        for (topic, partition), offset in offsets.items():
            by_topic.setdefault(self._names[topic], []).append((partition, offset, ""))
        request = OffsetCommitRequest(group, _NO_GENERATION, _NO_MEMBER, _AS_THE_BROKER, list(by_topic.items()))
        response = await self._connection.to_broker(node, request, self._channel)
        answers: list[Any] = response.get_item("topics")
        for name, partitions in answers:
            for partition, code in partitions:
                _check(code, f"{group} on {name}-{partition}")

    async def _describe(self, node: int, group: str) -> list[Member]:
        response = await self._connection.to_broker(node, DescribeGroupsRequest([group]), self._channel)
        answers: list[Any] = response.get_item("groups")
        code, _, _, _, _, members, *_ = answers[0]
        if code == _NO_SUCH_GROUP:
            return []
        _check(code, group)
        return [Member(name, host.removeprefix("/")) for _, name, host, *_ in members]

    async def _list(self) -> list[str]:
        found: set[str] = set()
        for node in self._connection.brokers():
            response = await self._connection.to_broker(node, ListGroupsRequest(), self._channel)
            _check(response.get_item("error_code"), f"broker {node}")
            groups: list[Any] = response.get_item("groups")
            found.update(name for name, *_ in groups)
        return sorted(found)


def _check(code: int, what: str) -> None:
    error = for_code(code)
    if error is not NoError:
        raise error(what)

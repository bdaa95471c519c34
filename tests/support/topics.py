"""A deployment's topics, for tests without an event loop of their own: what is on them, and where groups stand."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ingest.http.offsets import CATALOG_PARTITION, render_offsets
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.kafka.groups import GroupOffsets
from ingest.log import LogRecord, Topic
from projector.worker.rejected import ORIGIN_HEADER

T = TypeVar("T")

READ_BYTES = 4 << 20
Place = tuple[int, int]
"""(partition, offset) of a record on the points topic."""


class Topics:
    """Connects when it is first asked, which makes topics that are missing; goes on when the broker comes back."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self._runner = asyncio.Runner()
        self._log: KafkaLog | None = None
        self._groups: GroupOffsets | None = None

    def close(self) -> None:
        """Close the connections, once and for all."""
        log, groups = self._log, self._groups
        self._log = self._groups = None
        if log is not None:
            self._runner.run(log.close())
        if groups is not None:
            self._runner.run(groups.close())
        self._runner.close()

    def with_log(self, act: Callable[[KafkaLog], Awaitable[T]]) -> T:
        """Do something with the log."""

        async def acting() -> T:
            if self._log is None:
                self._log = await KafkaLog.open(self.settings)
            return await act(self._log)

        return self._runner.run(acting())

    def ends(self) -> dict[tuple[Topic, int], int]:
        """The end offset of every partition."""

        async def ask(log: KafkaLog) -> dict[tuple[Topic, int], int]:
            places = [(topic, partition) for topic in Topic for partition in range(log.partitions(topic))]
            return {place: await log.end_offset(*place) for place in places}

        return self.with_log(ask)

    def points_ends(self) -> dict[int, int]:
        """The end offset of every points partition."""
        return {partition: end for (topic, partition), end in self.ends().items() if topic is Topic.POINTS}

    def token(self) -> str:
        """What stands for everything that is on the catalog and the points topic now."""
        ends = {place: end for place, end in self.ends().items() if place[0] is not Topic.REJECTED and end}
        numbers = {CATALOG_PARTITION if topic is Topic.CATALOG else p: end - 1 for (topic, p), end in ends.items()}
        return render_offsets(tuple(numbers.items())).decode()

    def records(self, topic: Topic, partition: int, from_offset: int = 0) -> list[LogRecord]:
        """What is on a partition now."""

        async def read(log: KafkaLog) -> list[LogRecord]:
            found: list[LogRecord] = []
            start, end = from_offset, await log.end_offset(topic, partition)
            while start < end and (some := await log.read(topic, partition, start, READ_BYTES)):
                found += [record for record in some if record.offset < end]
                start = some[-1].offset + 1
            return found

        return self.with_log(read)

    def committed(self, group: str) -> dict[int, int]:
        """Where a consumer group stands on the points topic."""

        async def ask() -> dict[int, int]:
            if self._groups is None:
                self._groups = await GroupOffsets.open(self.settings)
            found = await self._groups.committed(group)
            return {partition: offset for (topic, partition), offset in found.items() if topic is Topic.POINTS}

        return self._runner.run(ask())

    def rejected(self) -> list[Place]:
        """Where those records on the rejected topic that are points' came from, in order, those sent twice twice."""
        origins = [_origin(record) for record in self.records(Topic.REJECTED, 0)]
        return [place for topic, place in origins if topic == Topic.POINTS]


def _origin(record: LogRecord) -> tuple[str, Place]:
    topic, partition, offset = dict(record.headers)[ORIGIN_HEADER].decode().split("/")
    return topic, (int(partition), int(offset))

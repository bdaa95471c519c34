"""Logs in Kafka for the tests of tools, opened and closed; and a deployment whose tools are run."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from ingest.kafka import KafkaLog, KafkaSettings
from ingest.kafka.groups import GroupOffsets
from ingest.log import Log, LogRecord, Topic
from projector.folders import StateFolder
from projector.snapshot import SnapshotsFolder
from tests.support.server import headwater
from tests.tools.world import Digests, Owner, World, digests

PARTITIONS = 2


@asynccontextmanager
async def topics_of(settings: KafkaSettings, *, create: bool = False) -> AsyncGenerator[KafkaLog]:
    """The log in the topics of ``settings``."""
    log = await KafkaLog.open(settings, create=create)
    try:
        yield log
    finally:
        await log.close()


async def read_all(log: Log, topic: Topic = Topic.POINTS, partition: int = 0) -> Sequence[LogRecord]:
    """Every record of a partition."""
    found: list[LogRecord] = []
    position = await log.start_offset(topic, partition)
    while records := await log.read(topic, partition, position, 1 << 20):
        found += records
        position = found[-1].offset + 1
    return found


async def read_topic(log: Log, topic: Topic) -> list[list[LogRecord]]:
    """Every record of every partition of a topic."""
    return [list(await read_all(log, topic, partition)) for partition in range(log.partitions(topic))]


class Deployment:
    """Topics in Kafka, a data folder of a projector's group, and what its tools do."""

    def __init__(self, settings: KafkaSettings, data: Path) -> None:
        self.settings = settings.model_copy(update={"partitions": PARTITIONS})
        self.data = data
        self.folder = StateFolder(data / "state")
        self.snapshots = SnapshotsFolder(data / "snapshots")

    def tool(self, *arguments: str) -> tuple[int, str]:
        """Run a command on it: its exit code, and what it said."""
        where = ("--data", str(self.data), "--kafka", self.settings.bootstrap_servers, "--prefix", self.settings.prefix)
        done = headwater(*arguments, *where)
        return done.returncode, done.stdout + done.stderr

    def snapshot(self, *arguments: str) -> tuple[int, str]:
        """Run a command on its snapshots: its exit code, and what it said."""
        done = headwater("snapshot", *arguments, "--data", str(self.data))
        return done.returncode, done.stdout + done.stderr

    async def begin(self) -> None:
        """Collections and points on the topics."""
        async with topics_of(self.settings, create=True) as log:
            world = World(log)
            await world.create_collections()
            await world.write(20)

    async def write(self) -> None:
        """More points, while nothing runs."""
        async with topics_of(self.settings) as log:
            world = World(log, seed=2)
            await world.know_collections()
            await world.write(10)

    async def fold(self, folder: StateFolder | None = None) -> Digests:
        """Start on a state folder and catch up; its digests."""
        folder = folder or self.folder
        async with topics_of(self.settings) as log:
            owner = Owner(log, folder)
            try:
                await owner.catch_up()
            finally:
                owner.close()
            return digests(folder, log.identity)

    async def commit(self, group: str, back: int = 0) -> None:
        """Let a group have read everything, less the last ``back`` records of each partition."""
        async with topics_of(self.settings) as log:
            places = [(Topic.CATALOG, 0), *((Topic.POINTS, p) for p in range(PARTITIONS))]
            ends = {place: await log.end_offset(*place) - back for place in places}
        groups = await GroupOffsets.open(self.settings)
        await groups.commit(f"{self.settings.prefix}.{group}", ends)
        await groups.close()

    async def starts(self) -> list[int]:
        async with topics_of(self.settings) as log:
            points = [await log.start_offset(Topic.POINTS, p) for p in range(PARTITIONS)]
            return [await log.start_offset(Topic.CATALOG, 0), *points]

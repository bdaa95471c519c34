"""A cluster to measure: what the phases ask of it, and of its topics."""

import asyncio
import re
import shutil
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.kafka.records import DIM
from bench.memory import Memory, memory_of
from bench.raw_http import Connection, request
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import Headers, Topic
from ingest.points_topic import is_canonical
from schemas.records import CreateCollection, ShardOpened, decode_catalog_record, decode_partition_record
from tests.support.cluster import Cluster
from tests.support.server import HeadwaterProcess

TOGETHER_BYTES = 900 << 10
"""About how much is written to Kafka at once."""
TIMEOUT_SECONDS = 1200.0
_APPLIED = re.compile(rb'^headwater_applied_offset\{partition="(\d+)"\} (\S+)$', re.MULTILINE)


class Stage:
    """Phases use it from code that is not on an event loop."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.settings: KafkaSettings = cluster.kafka
        self.points = cluster.kafka.topic(Topic.POINTS)
        self.partitions = cluster.kafka.partitions or 1

    @property
    def projector(self) -> HeadwaterProcess:
        """The one projector."""
        return self.cluster.projectors[0]

    def create(self, name: str, **options: Any) -> int:
        """Create a collection of 100 dimensions; its uid."""
        body = {"vectors": {"size": DIM, "distance": "Cosine"}, **options}
        self.ask("PUT", f"/collections/{name}", body)
        records = [decode_catalog_record(r.value or b"") for r in self.cluster.topics.records(Topic.CATALOG, 0)]
        return [r.uid for r in records if isinstance(r, CreateCollection) and r.name == name][-1]

    def home(self, uid: int) -> int:
        """The partition of a collection's first shard."""
        for partition in range(self.partitions):
            for record in self.cluster.topics.records(Topic.POINTS, partition):
                if is_canonical(record):
                    marker = decode_partition_record(record.value or b"")
                    if isinstance(marker, ShardOpened) and marker.uid == uid:
                        return partition
        raise AssertionError(f"no shard of {uid} was opened")

    def drop(self, name: str) -> None:
        """Delete a collection."""
        self.ask("DELETE", f"/collections/{name}")

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """A request to the api; the result of its answer."""
        with Connection(self.cluster.port) as connection:
            sent = b"" if body is None else msgspec.json.encode(body)
            return msgspec.json.decode(connection.ask(request(method, path, sent)))["result"]

    def produce(self, values: Sequence[bytes], headers: Headers = (), partition: int = 0) -> int:
        """Write records as fast as Kafka takes them; the last one's offset."""

        async def send() -> int:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                log = await KafkaLog.open(self.settings)
                try:
                    return await produce_all(log, values, headers, partition)
                finally:
                    await log.close()

        return asyncio.run(send())

    def applied(self, partition: int = 0) -> int:
        """The applied offset that the projector shows; -1 before it shows one."""
        try:
            with Connection(self.projector.port) as connection:
                found = dict(_APPLIED.findall(connection.ask(request("GET", "/metrics"))))
        except OSError:
            return -1
        return int(float(found.get(b"%d" % partition, b"-1")))

    def wait_applied(self, offset: int, pause: float = 0.02, partition: int = 0) -> list[tuple[float, int]]:
        """Wait until a record is applied; (time, applied offset) as they were seen meanwhile, the first above -1."""
        seen: list[tuple[float, int]] = []
        deadline = time.perf_counter() + TIMEOUT_SECONDS
        while time.perf_counter() < deadline:
            applied = self.applied(partition)
            if applied >= 0:
                seen.append((time.perf_counter(), applied))
            if applied >= offset:
                return seen
            if self.projector.poll() is not None:
                raise AssertionError(f"the projector ended\n{self.projector.last_output()}")
            time.sleep(pause)
        raise TimeoutError(f"offset {offset} was not applied within {TIMEOUT_SECONDS:.0f} s")

    def wait_visible(self, offset: int, partition: int = 0) -> None:
        """Wait until the api shows what a record changed."""
        self.cluster.reach(self.cluster.api, f"{partition}:{offset}")

    def stop_projector(self) -> None:
        """Stop it as an operator does."""
        self.projector.stop()

    def lose_state(self) -> None:
        """Delete the state folder, while no process runs on it."""
        shutil.rmtree(self.cluster.data / "state")

    def projector_memory(self) -> Memory:
        """Of the projector and the processes that it started."""
        return memory_of(self.projector.processes())

    def worker_memory(self) -> Memory:
        """Of the projector's own process alone."""
        return memory_of([self.projector.pid])


async def produce_all(log: KafkaLog, values: Sequence[bytes], headers: Headers, partition: int = 0) -> int:
    """Write ``values`` in requests of about a megabyte; the last one's offset."""
    start, offset = 0, -1
    while start < len(values):
        end, size = start, 0
        while end < len(values) and (end == start or size + len(values[end]) + 200 <= TOGETHER_BYTES):
            size += len(values[end]) + 200
            end += 1
        first = await log.append_together(Topic.POINTS, partition, values[start:end], headers)
        offset, start = first + end - start - 1, end
    return offset


def consume(settings: KafkaSettings, first: int, last: int, partition: int = 0) -> float:
    """Seconds that a plain aiokafka consumer takes to get the records from ``first`` to ``last``: the peer."""

    async def read() -> float:
        place = TopicPartition(settings.topic(Topic.POINTS), partition)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap_servers,
            isolation_level="read_committed",
            max_partition_fetch_bytes=8 << 20,
        )
        await consumer.start()
        try:
            consumer.assign([place])
            consumer.seek(place, first)
            begun = time.perf_counter()
            position = first
            while position <= last:
                for records in (await consumer.getmany(timeout_ms=1000)).values():
                    position = records[-1].offset + 1
            return time.perf_counter() - begun
        finally:
            await consumer.stop()

    return asyncio.run(read())

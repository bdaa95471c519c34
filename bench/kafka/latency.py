"""From producing a record to finding it: at a steady rate, as a producer and a client of the api see it."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.kafka.async_http import AsyncHttp
from bench.kafka.records import json_point, row, vectors
from bench.kafka.stage import Stage

SAMPLED = 20
"""One record of so many is looked for."""
CONNECTIONS = 8
WARM_UP_SECONDS = 10.0
WARM_UP = "warm-up"
COLLECTION = "growing"
ASK_AGAIN_SECONDS = 0.002


@dataclass
class Latencies:
    """Seconds from when a record was due to be sent: until it was found, and until a plain consumer had it."""

    found: list[float] = field(default_factory=list[float])
    consumed: list[float] = field(default_factory=list[float])


class Steady:
    """Sends ``rate`` single points a second to ``partition``.

    After a warm-up, a plain consumer reads them; then that is stopped, as it takes a good part of the machine. What
    follows goes to another collection, and some of it is looked for there.
    """

    def __init__(self, stage: Stage, rate: int, seconds: float, partition: int, forwarded: bool) -> None:
        self._stage = stage
        self._forwarded = forwarded
        self._points = f"/collections/{COLLECTION}/points"
        self._rate = rate
        self._warm_up = int(rate * WARM_UP_SECONDS)
        self._looked_for = self._warm_up + int(rate * seconds)
        self._count = self._looked_for + int(rate * seconds)
        self._place = TopicPartition(stage.points, partition)
        self._rows = [row(vector) for vector in vectors(self._count)]
        self._values = [
            json_point(WARM_UP if number < self._looked_for else COLLECTION, vector, number)
            for number, vector in enumerate(self._rows)
        ]
        self._due: dict[int, float] = {}
        self._consumed: dict[int, float] = {}
        self._connections: asyncio.Queue[AsyncHttp] = asyncio.Queue()
        self.latencies = Latencies()

    async def run(self) -> Latencies:
        """Measure."""
        servers = self._stage.settings.bootstrap_servers
        producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", max_batch_size=1 << 20)
        await producer.start()
        for _ in range(CONNECTIONS):
            self._connections.put_nowait(await AsyncHttp.open(self._stage.cluster.port))
        try:
            begun = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                consuming = group.create_task(self._consume(servers))
                await self._send_all(producer, group, begun, range(self._looked_for))
                consuming.cancel()
                await self._send_all(producer, group, begun, range(self._looked_for, self._count))
        finally:
            while not self._connections.empty():
                self._connections.get_nowait().close()
            await producer.stop()
        return self.latencies

    async def _send_all(
        self, producer: AIOKafkaProducer, group: asyncio.TaskGroup, begun: float, numbers: range
    ) -> None:
        for number in numbers:
            due = begun + number / self._rate
            ahead = due - time.perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
            group.create_task(self._send(producer, number, due))

    async def _send(self, producer: AIOKafkaProducer, number: int, due: float) -> None:
        topic, partition = self._place
        sent = await producer.send_and_wait(topic, self._values[number], b"%d" % number, partition)
        if self._warm_up <= number < self._looked_for:
            self._due[sent.offset] = due
            if sent.offset in self._consumed:
                self.latencies.consumed.append(self._consumed[sent.offset] - due)
        elif number >= self._looked_for and number % SAMPLED == 0:
            await self._find(number, f"{sent.partition}:{sent.offset}")
            self.latencies.found.append(time.perf_counter() - due)

    async def _find(self, number: int, token: str) -> None:
        """Search for it, once it is there: of what is forwarded first, the offset it was sent to says too little."""
        connection = await self._connections.get()

        async def ask(path: str, body: object) -> Any:
            question = msgspec.json.encode(body)
            answer = await connection.ask("POST", self._points + path, question, {"x-headwater-offsets": token})
            return msgspec.json.decode(answer)["result"]

        try:
            while self._forwarded and not await ask("", {"ids": [number], "with_payload": False}):
                await asyncio.sleep(ASK_AGAIN_SECONDS)
            found = await ask("/query", {"query": self._rows[number], "limit": 1})
            if found["points"][0]["id"] != number:
                raise AssertionError(f"point {number} was not found, but {found}")
        finally:
            self._connections.put_nowait(connection)

    async def _consume(self, servers: str) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=servers, isolation_level="read_committed")
        await consumer.start()
        try:
            consumer.assign([self._place])
            while True:
                for records in (await consumer.getmany(timeout_ms=1000)).values():
                    now = time.perf_counter()
                    self._consumed.update((record.offset, now) for record in records)
                    known = [record.offset for record in records if record.offset in self._due]
                    self.latencies.consumed += [now - self._due[offset] for offset in known]
        finally:
            await consumer.stop()


def measure(stage: Stage, rate: int, seconds: float) -> Latencies:
    """Latencies at ``rate`` records a second, each over ``seconds``, after a warm-up.

    Records are sent to a partition where they are not at home, if there is one.
    """
    homes = {stage.home(stage.create(name)) for name in (WARM_UP, COLLECTION)}
    elsewhere = set(range(stage.partitions)) - homes
    partition = min(elsewhere or homes)
    try:
        return uvloop.run(Steady(stage, rate, seconds, partition, bool(elsewhere)).run())
    finally:
        stage.drop(WARM_UP)
        stage.drop(COLLECTION)

"""The router forwards what is not at home to where it is: once more rather than not at all, and always the same."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import UUID

import pytest
from msgspec.json import encode

from ingest import router as router_module
from ingest.foreign import Destination
from ingest.forwarding import Outgoing
from ingest.log import Headers, LogRecord, LogUnavailableError, RecordTooLargeError, Topic
from ingest.outcomes import Rejection
from ingest.router import Router
from ingest.writer import HEADERS
from schemas.ids import PointId, shard_of
from schemas.operations import DeletePoints, Outcome, Upsert
from schemas.records import Origin, PointsRecord, decode_partition_record
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_log import MemoryLog

SHARDS = 4
HOMES = (0, 1, 2, 1)


class FaultyLog(MemoryLog):
    """Fails as often as it is told to, before or after it has written; takes ``max_bytes`` at once."""

    def __init__(self, partitions: int) -> None:
        super().__init__(partitions)
        self.failures: list[str] = []
        self.max_bytes = 1 << 20
        self.calls = 0

    async def append_together(
        self,
        topic: Topic,
        partition: int,
        values: Sequence[bytes],
        headers: Headers = (),
        timestamp_ms: int | None = None,
    ) -> int:
        self.calls += 1
        await asyncio.sleep(0)
        if sum(map(len, values)) > self.max_bytes:
            raise RecordTooLargeError("too large")
        failure = self.failures.pop() if self.failures else ""
        if failure == "before":
            raise LogUnavailableError("not now")
        offset = await super().append_together(topic, partition, values, headers, timestamp_ms)
        if failure == "after":
            raise LogUnavailableError("no answer")
        return offset


class Bench:
    """A router over a log and a catalog in memory, and what it rejected."""

    def __init__(self, max_record_bytes: int = 1 << 20) -> None:
        self.log = FaultyLog(3)
        self.catalog = MemoryCatalog()
        self.rejected: list[tuple[LogRecord, Outcome]] = []
        self.appended: list[LogRecord] = []
        self.router = Router(
            self.log, self.catalog, self.catalog.catch_up, self._reject, max_record_bytes, self._appended
        )

    def _appended(self, partition: int, records: Sequence[LogRecord]) -> None:
        assert {record.partition for record in records} == {partition}
        self.appended += records

    async def on_the_log(self) -> list[LogRecord]:
        return [record for number in range(3) for record in await self.log.read(Topic.POINTS, number, 0, 1 << 30)]

    async def _reject(self, rejections: Sequence[Rejection]) -> None:
        self.rejected += [(record, outcome) for record, (outcome,) in rejections]

    def records(self, partition: int) -> list[PointsRecord]:
        found = [decode_partition_record(value or b"") for value in self.log.values(Topic.POINTS, partition)]
        return [record for record in found if isinstance(record, PointsRecord)]

    def ids(self, partition: int) -> list[int]:
        """The points of a partition, in the order in which they came."""
        return [i for r in self.records(partition) for op in r.ops for i in op.ids or [] if isinstance(i, int)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router_module, "FIRST_PAUSE", 0.0)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 240))


def message(offset: int, body: dict[str, Any], partition: int = 0) -> LogRecord:
    return LogRecord(partition, offset, 0, b"key", encode(body), (("h", b"1"),))


def point(offset: int, number: int, name: str = "things", partition: int = 0) -> LogRecord:
    return message(offset, {"collection_name": name, "id": number, "vector": [1.0]}, partition)


def points(offset: int, numbers: Sequence[int], name: str = "things") -> LogRecord:
    body = {"collection_name": name, "points": [{"id": i, "vector": [1.0]} for i in numbers]}
    return message(offset, body)


ALL = list(range(SHARDS))


def test_each_shard_s_part_goes_to_its_home(bench: Bench) -> None:
    entry = bench.catalog.create("things", 7, HOMES)

    async def check() -> None:
        await bench.router.forward(points(5, range(20)), Destination("things", 7, ALL))
        found = {record.shard: record for partition in range(3) for record in bench.records(partition)}
        for shard in ALL:
            (op,) = found[shard].ops
            assert isinstance(op, Upsert)
            assert op.ids == [i for i in range(20) if shard_of(PointId(i), SHARDS) == shard]
            assert found[shard].uid == entry.uid
        assert {r.shard: r.origin for r in found.values()} == {
            0: Origin(0, 5, 0),
            1: Origin(0, 5, 0),
            2: Origin(0, 5, 0),
            3: Origin(0, 5, 1),
        }
        for partition in range(3):
            assert {record.shard for record in bench.records(partition)} == {s for s in ALL if HOMES[s] == partition}
        (record,) = await bench.log.read(Topic.POINTS, 0, 0, 1)
        assert record.headers == HEADERS
        assert not bench.rejected

    run(check())


def test_only_the_shards_that_are_not_at_home(bench: Bench) -> None:
    bench.catalog.create("things", 7, HOMES)

    async def check() -> None:
        await bench.router.forward(points(5, range(20)), Destination("things", 7, [3, 2]))
        assert [[record.shard for record in bench.records(partition)] for partition in range(3)] == [[], [3], [2]]
        assert bench.records(1)[0].origin == Origin(0, 5, 0)

    run(check())


def test_a_filter_goes_to_every_shard_elsewhere(bench: Bench) -> None:
    bench.catalog.create("things", 7, HOMES)
    body = {"collection_name": "things", "operation": "delete", "filter": {"must": [{"has_id": [1]}]}}

    async def check() -> None:
        await bench.router.forward(message(0, body), Destination("things", 7, [1, 2, 3]))
        (first, third), (second,) = bench.records(1), bench.records(2)
        assert [(r.shard, r.origin) for r in (first, third, second)] == [
            (1, Origin(0, 0, 0)),
            (3, Origin(0, 0, 1)),
            (2, Origin(0, 0, 0)),
        ]
        assert first.ops == [DeletePoints(filter={"must": [{"has_id": [1]}]})]
        assert not bench.records(0)

    run(check())


def test_a_large_record_in_pieces(bench: Bench) -> None:
    small = Bench(max_record_bytes=100)
    small.catalog.create("things", 7, [2])

    async def check() -> None:
        await small.router.forward(points(9, range(20)), Destination("things", 7, [0]))
        records = small.records(2)
        assert len(records) > 3
        assert [record.origin for record in records] == [Origin(0, 9, i) for i in range(len(records))]
        assert small.ids(2) == list(range(20))

    run(check())


def test_pieces_are_what_the_log_takes() -> None:
    bench = Bench(max_record_bytes=16_000)
    bench.log.max_bytes = 16_000
    bench.catalog.create("things", 7, [2])
    each: dict[str, Any] = {"vector": [1.0], "payload": {"a": "x" * 50}}
    some = [{"id": str(UUID(int=i)), **each} for i in range(1000)]

    async def check() -> None:
        await bench.router.forward(
            message(9, {"collection_name": "things", "points": some}), Destination("things", 7, [0])
        )
        assert not bench.rejected
        assert sum(len(op.ids or ()) for record in bench.records(2) for op in record.ops) == len(some)

    run(check())


def test_names_and_aliases_are_settled_once(bench: Bench) -> None:
    bench.catalog.create("things", 7, HOMES)
    bench.catalog.alias("short", "things")

    async def check() -> None:
        found = [Destination("things"), Destination("short"), Destination("nowhere"), Destination("things", 3, [1])]
        settled = await bench.router.resolve(found)
        assert settled == [Destination("things", 7, ALL), Destination("short", 7, ALL), found[2], found[3]]
        bench.catalog.create("others", 8, [2])
        bench.catalog.alias("short", "others")
        await bench.router.forward_all([Outgoing(point(0, 1, "short"), settled[1])])
        assert [record.uid for p in range(3) for record in bench.records(p)] == [7]
        await bench.router.forward(point(1, 1, "short"), Destination("short"))
        assert [record.uid for record in bench.records(2) if record.origin == Origin(0, 1, 0)] == [8]

    run(check())


def test_a_collection_created_just_before_is_known(bench: Bench) -> None:
    async def check() -> None:
        await bench.router.forward(point(0, 1), Destination("things"))
        assert [outcome.status for _, outcome in bench.rejected] == [404]
        bench.catalog.create("things", 7, [1])
        await bench.router.forward(point(1, 1), Destination("things"))
        bench.catalog.create("others", 8, [2])
        await bench.router.forward_all([Outgoing(point(2, 1, "others"), Destination("others", 8, [0]))])
        assert (bench.ids(1), bench.ids(2), len(bench.rejected)) == ([1], [1], 1)

    run(check())


def test_a_name_given_to_another_collection_meanwhile(bench: Bench) -> None:
    bench.catalog.create("things", 7, [1])

    async def check() -> None:
        await bench.catalog.catch_up()
        bench.catalog.drop("things")
        bench.catalog.create("things", 8, [2])
        await bench.router.forward(point(0, 1), Destination("things"))
        assert [record.uid for record in bench.records(2)] == [8]
        await bench.router.forward(point(1, 1), Destination("things", 7, [0]))
        assert [(record.offset, outcome.status) for record, outcome in bench.rejected] == [(1, 404)]
        bench.catalog.create("renamed", 9, [0])
        await bench.router.forward(point(2, 1), Destination("before", 9, [0]))
        assert [record.uid for record in bench.records(0)] == [9]

    run(check())


def test_what_can_t_be_forwarded_is_rejected_as_it_came(bench: Bench) -> None:
    bench.catalog.create("things", 7, HOMES)
    bad = message(0, {"collection_name": "things", "id": 1, "vector": [1.0, 2.0]})
    unknown = point(1, 1, "x" * 5000)
    unreadable = LogRecord(0, 2, 0, None, b"{", ())
    good = point(3, 1)

    async def check() -> None:
        found = await bench.router.resolve(
            [Destination("things"), Destination("x"), Destination("things"), Destination("things")]
        )
        await bench.router.forward_all(
            [Outgoing(*pair) for pair in zip((bad, unknown, unreadable, good), found, strict=True)]
        )
        assert [record for record, _ in bench.rejected] == [bad, unknown, unreadable]
        statuses = [outcome.status for _, outcome in bench.rejected]
        reasons = [outcome.reason or "" for _, outcome in bench.rejected]
        assert statuses == [400, 404, 400]
        assert "expected dim: 1, got 2" in reasons[0]
        assert "Collection `x` doesn't exist!" in reasons[1]
        await bench.router.forward(unknown, Destination("x" * 5000))
        assert len(bench.rejected[-1][1].reason or "") < 1100
        assert sum(len(bench.records(p)) for p in range(3)) == 1

    run(check())


def test_too_large_for_the_log(bench: Bench) -> None:
    """The record is rejected, those before and after it are forwarded in order."""
    bench.catalog.create("things", 7, [1], dim=1)
    body = {"collection_name": "things", "id": 3, "vector": [1.0], "payload": {"text": "x" * 2000}}
    records = [point(i, i) for i in range(3)] + [message(3, body)] + [point(i, i) for i in range(4, 9)]
    bench.log.max_bytes = 1000

    async def check() -> None:
        await bench.router.forward_all([Outgoing(record, Destination("things", 7, [0])) for record in records])
        assert bench.ids(1) == [0, 1, 2, 4, 5, 6, 7, 8]
        assert [(record.offset, outcome.status) for record, outcome in bench.rejected] == [(3, 413)]

    run(check())


@pytest.mark.parametrize("failure", ["before", "after"])
def test_tries_again_until_the_log_takes_it(bench: Bench, failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is there twice is there in the same order, so a home that skips what it had misses nothing."""
    bench.catalog.create("things", 7, [1])
    monkeypatch.setattr(router_module, "TOGETHER_BYTES", 300)
    bench.log.failures = [failure] * 3 + [""] + [failure] * 2

    async def check() -> None:
        outgoing = [Outgoing(point(i, i), Destination("things", 7, [0])) for i in range(30)]
        await bench.router.forward_all(outgoing)
        assert bench.log.calls > 8
        once: list[int] = []
        for number in bench.ids(1):
            assert number <= len(once)
            if number == len(once):
                once.append(number)
        assert once == list(range(30))
        assert (len(bench.ids(1)) > 30) == (failure == "after")

    run(check())


def test_who_wants_to_is_told_what_is_on_the_log_and_where(bench: Bench) -> None:
    bench.catalog.create("things", 7, HOMES)
    bench.log.failures = ["after", "", "before"]

    async def check() -> None:
        for offset in range(3):
            await bench.router.forward(points(offset, range(offset, offset + 20)), Destination("things", 7, ALL))
        assert len(bench.appended) > len(HOMES)
        found = await bench.on_the_log()
        # What was written twice is told of once, or twice.
        assert set(bench.appended) <= set(found)
        assert {record.value for record in bench.appended} == {record.value for record in found}
        assert min(record.timestamp_ms for record in bench.appended) > 1_600_000_000_000

    run(check())


def test_homes_do_not_wait_for_one_another(bench: Bench) -> None:
    bench.catalog.create("things", 7, [0, 1])

    async def check() -> None:
        outgoing = [Outgoing(points(i, range(50)), Destination("things", 7, [0, 1])) for i in range(3)]
        await bench.router.forward_all(outgoing)
        assert bench.log.calls == 2
        for partition in range(2):
            assert [record.origin for record in bench.records(partition)] == [Origin(0, i, 0) for i in range(3)]

    run(check())


def test_the_same_record_becomes_the_same_again() -> None:
    """Two routers, or one after a crash, write the same bytes."""
    values: list[list[bytes | None]] = []

    async def check() -> None:
        for _ in range(2):
            bench = Bench(max_record_bytes=150)
            bench.catalog.create("things", 7, HOMES)
            await bench.router.forward_all(
                [Outgoing(points(i, range(40)), Destination("things", 7, ALL)) for i in range(5)]
            )
            values.append([value for p in range(3) for value in bench.log.values(Topic.POINTS, p)])
        assert values[0] == values[1]

    run(check())

"""How a worker of an api becomes ready, and notices what is added."""

import asyncio
from pathlib import Path

from compose.api.startup import Health
from compose.api.visibility_table import VisibilityTable
from ingest.log import Topic
from tests.api.projector import MemoryProjector
from tests.api.workers import POINTS, WAIT, Worker, api, count, create, points, run, settle


def test_a_worker_is_ready_when_it_has_loaded_what_there_is(tmp_path: Path) -> None:
    async def check() -> None:
        projector = MemoryProjector()
        worker = Worker(projector, VisibilityTable.create(tmp_path / "visible", 1), 0)
        worker.feeds.delivery(Topic.CATALOG).gate.shut()
        worker.start()
        await settle()
        response = await worker.send("GET", "/readyz")
        assert (response.status_code, "catalog" in response.text) == (503, True)
        assert "catalog" in await worker.error(503, "GET", "/collections")
        assert (await worker.send("GET", "/livez")).status_code == 200
        worker.delivery(Topic.POINTS).gate.shut()
        worker.delivery(Topic.CATALOG).gate.open()
        await settle()
        assert "partition 0" in (await worker.send("GET", "/readyz")).text
        worker.delivery(Topic.POINTS).gate.open()
        await worker.node.ready()
        assert (await worker.send("GET", "/readyz")).status_code == 200
        assert await worker.result("GET", "/collections") == {"collections": []}
        await worker.stop()

    run(check)


def test_a_worker_waits_while_the_projector_catches_up(tmp_path: Path) -> None:
    async def check() -> None:
        projector = MemoryProjector()
        table = VisibilityTable.create(tmp_path / "visible", 1)
        worker = Worker(projector, table, 0)
        await worker.started()
        await create(worker)
        projector.stalled = True
        for number in range(5):
            await worker.result("PUT", POINTS, json=points(number))
        await worker.stop()
        behind = Worker(projector, table, 0)
        behind.start()
        await settle()
        assert "5 records" in (await behind.send("GET", "/readyz")).text
        projector.go_on()
        await behind.node.ready()
        await behind.stop()

    run(check)


def test_a_worker_serves_old_views_when_nothing_moves(tmp_path: Path) -> None:
    async def check() -> None:
        projector = MemoryProjector()
        table = VisibilityTable.create(tmp_path / "visible", 1)
        worker = Worker(projector, table, 0)
        await worker.started()
        await create(worker)
        await worker.result("PUT", POINTS, json=points(1), params=WAIT)
        projector.stalled = True
        await worker.result("PUT", POINTS, json=points(2))
        await worker.stop()
        later = Worker(projector, table, 0)
        await later.started()
        assert await count(later) == 1
        await later.stop()

    run(check)


def test_readiness_is_that_of_all_workers_that_clients_may_reach(tmp_path: Path) -> None:
    async def check() -> None:
        projector = MemoryProjector()
        table = VisibilityTable.create(tmp_path / "visible", 2)
        first, second = Worker(projector, table, 0), Worker(projector, table, 1)
        first.start()
        second.membership.start()
        await first.node.ready()
        assert (await first.send("GET", "/readyz")).status_code == 503
        await second.started()
        assert (await first.send("GET", "/readyz")).status_code == 200
        await first.stop()
        await second.stop()

    run(check)


def test_partitions_that_are_added_are_followed(tmp_path: Path) -> None:
    async def check() -> None:
        projector = MemoryProjector(partitions=3)
        projector.log.points_partitions = 1
        async with api(tmp_path, projector, 2) as workers:
            unknown = {"x-headwater-offsets": "3:0"}
            assert "no partition 3" in await workers[1].error(400, "GET", "/collections", headers=unknown)
            await create(workers[0], shard_number=3)
            written = await workers[0].send("PUT", POINTS, json=points(*range(20)), params=WAIT)
            token = {"x-headwater-offsets": written.headers["x-headwater-offsets"]}
            assert {part.split(":")[0] for part in token["x-headwater-offsets"].split(",")} == {"0", "1", "2"}
            assert await count(workers[1], headers=token) == 20

    run(check)


def test_a_token_of_a_partition_that_was_added(tmp_path: Path) -> None:
    async def check() -> None:
        projector = MemoryProjector(partitions=2)
        projector.log.points_partitions = 1
        async with api(tmp_path, projector) as [worker]:
            reading = asyncio.create_task(worker.result("GET", "/collections", headers={"x-headwater-offsets": "1:0"}))
            await settle()
            assert not reading.done()
            await projector.recount()
            await create(worker, shard_number=2)
            assert await reading == {"collections": [{"name": "c"}]}

    run(check)


def test_what_can_not_be_done_though_reads_are_answered(tmp_path: Path) -> None:
    async def check() -> None:
        worker = Worker(MemoryProjector(), VisibilityTable.create(tmp_path / "visible", 1), 0)
        await worker.started()
        wrong = {"fault": "", "unwritable": "", "behind": ""}
        worker.startup.watch(
            Health(lambda: wrong["fault"], lambda: wrong["unwritable"], behind=lambda: wrong["behind"])
        )
        assert worker.startup.ready() == (True, "ready")
        wrong["unwritable"] = "nobody takes it"
        assert worker.startup.ready() == (True, "ready for reads, but can't write: nobody takes it")
        wrong["behind"] = "points-1 by 6 records"
        assert worker.startup.ready()[1].endswith("; reads are behind: points-1 by 6 records")
        wrong["fault"] = "a topic loses records"
        assert worker.startup.ready() == (False, "a topic loses records")
        await worker.stop()

    run(check)

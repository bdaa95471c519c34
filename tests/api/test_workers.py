"""What clients of an api's workers see, while workers, projector and log are as they are."""

import asyncio
from pathlib import Path

from ingest.log import Topic
from tests.api.projector import MemoryProjector
from tests.api.workers import POINTS, VECTORS, WAIT, api, count, create, points, run, settle

SHORT = {"wait": "true", "timeout": "1"}


def test_what_is_completed_is_visible_in_every_worker(tmp_path: Path) -> None:
    async def check() -> None:
        async with api(tmp_path, MemoryProjector(), 3) as workers:
            await create(workers[0])
            slow = workers[2].delivery(Topic.POINTS)
            slow.gate.shut()
            writing = asyncio.create_task(workers[0].result("PUT", POINTS, json=points(1), params=WAIT))
            await settle()
            assert await count(workers[0]) == await count(workers[1]) == 1
            assert await count(workers[2]) == 0
            assert not writing.done()
            slow.gate.open()
            assert (await writing)["status"] == "completed"
            assert await count(workers[2]) == 1

    run(check)


def test_a_collection_is_there_in_every_worker_when_it_is_created(tmp_path: Path) -> None:
    async def check() -> None:
        async with api(tmp_path, MemoryProjector(partitions=2), 2) as workers:
            for topic, partition in ((Topic.CATALOG, 0), (Topic.POINTS, 0), (Topic.POINTS, 1)):
                slow = workers[1].delivery(topic, partition)
                slow.gate.shut()
                name = f"c-{topic}-{partition}"
                creating = asyncio.create_task(create(workers[0], name, shard_number=2))
                await settle()
                assert not creating.done()
                slow.gate.open()
                await creating
                assert await workers[1].result("POST", f"/collections/{name}/points/count", json={}) == {"count": 0}

    run(check)


def test_an_alias_names_the_same_in_every_worker(tmp_path: Path) -> None:
    async def check() -> None:
        async with api(tmp_path, MemoryProjector(), 2) as workers:
            await create(workers[0])
            slow = workers[1].delivery(Topic.CATALOG)
            slow.gate.shut()
            action = {"create_alias": {"alias_name": "a", "collection_name": "c"}}
            body = {"actions": [action]}
            changing = asyncio.create_task(workers[0].result("POST", "/collections/aliases", json=body))
            await settle()
            assert not changing.done()
            slow.gate.open()
            assert await changing is True
            assert await workers[1].result("POST", "/collections/a/points/count", json={}) == {"count": 0}

    run(check)


def test_a_worker_that_is_gone_is_not_waited_for(tmp_path: Path) -> None:
    async def check() -> None:
        async with api(tmp_path, MemoryProjector(), 2) as workers:
            await create(workers[0])
            workers[1].delivery(Topic.POINTS).gate.shut()
            writing = asyncio.create_task(workers[0].result("PUT", POINTS, json=points(1), params=WAIT))
            await settle()
            assert not writing.done()
            workers[1].membership.leave()
            assert (await writing)["status"] == "completed"

    run(check)


def test_a_worker_that_does_not_get_on_lets_waits_time_out(tmp_path: Path) -> None:
    async def check() -> None:
        async with api(tmp_path, MemoryProjector(), 2) as workers:
            await create(workers[0])
            workers[1].delivery(Topic.POINTS).gate.shut()
            written = await workers[0].result("PUT", POINTS, json=points(1), params=SHORT)
            assert written["status"] == "wait_timeout"
            message = await workers[0].error(408, "PUT", "/collections/d", json={"vectors": VECTORS}, params=SHORT)
            assert "after 1 seconds" in message

    run(check)


def test_a_token_waits_for_its_own_worker_alone(tmp_path: Path) -> None:
    async def check() -> None:
        async with api(tmp_path, MemoryProjector(), 2) as workers:
            await create(workers[0])
            slow = workers[1].delivery(Topic.POINTS)
            slow.gate.shut()
            written = await workers[0].send("PUT", POINTS, json=points(1))
            token = {"x-headwater-offsets": written.headers["x-headwater-offsets"]}
            assert await count(workers[0], headers=token) == 1
            reading = asyncio.create_task(count(workers[1], headers=token))
            await settle()
            assert not reading.done()
            slow.gate.open()
            assert await reading == 1

    run(check)


def test_without_a_projector_writes_are_accepted_and_reads_go_on(tmp_path: Path) -> None:
    async def check() -> None:
        projector = MemoryProjector()
        async with api(tmp_path, projector, 2) as workers:
            await create(workers[0])
            await workers[0].result("PUT", POINTS, json=points(1), params=WAIT)
            projector.stalled = True
            assert (await workers[0].result("PUT", POINTS, json=points(2)))["status"] == "acknowledged"
            written = await workers[0].result("PUT", POINTS, json=points(3), params=SHORT)
            assert written["status"] == "wait_timeout"
            message = await workers[1].error(408, "PUT", "/collections/d", json={"vectors": VECTORS}, params=SHORT)
            assert "accepted" in message
            assert "will be applied" in message
            assert await count(workers[1]) == 1
            queue = (await workers[1].result("GET", "/collections/c"))["update_queue"]
            assert queue["length"] == 2
            projector.go_on()
            assert await count(workers[1]) == 3
            assert await workers[1].result("GET", "/collections/d/exists") == {"exists": True}

    run(check)


def test_without_a_log_reads_go_on(tmp_path: Path) -> None:
    async def check() -> None:
        projector = MemoryProjector()
        async with api(tmp_path, projector) as [worker]:
            await create(worker)
            await worker.result("PUT", POINTS, json=points(1), params=WAIT)
            projector.log.broken = True
            for params in ({}, WAIT):
                response = await worker.send("PUT", POINTS, json=points(2), params=params)
                assert response.status_code == 503
                assert "retry-after" in response.headers
            assert await count(worker) == 1
            assert (await worker.result("GET", "/collections/c"))["points_count"] == 1
            assert (await worker.send("GET", "/readyz")).status_code == 200
            projector.log.broken = False
            await worker.result("PUT", POINTS, json=points(2), params=WAIT)
            assert await count(worker) == 2

    run(check)


def test_a_write_to_a_collection_that_was_made_anew_is_refused(tmp_path: Path) -> None:
    async def check() -> None:
        async with api(tmp_path, MemoryProjector(), 2) as workers:
            await create(workers[0])
            stale = workers[1].delivery(Topic.CATALOG)
            stale.gate.shut()
            dropping = asyncio.create_task(workers[0].result("DELETE", "/collections/c"))
            await settle()
            creating = asyncio.create_task(create(workers[0]))
            await settle()
            assert "doesn't exist" in await workers[1].error(404, "PUT", POINTS, json=points(1), params=WAIT)
            stale.gate.open()
            await asyncio.gather(dropping, creating)
            assert (await workers[1].result("PUT", POINTS, json=points(1), params=WAIT))["status"] == "completed"

    run(check)


def test_a_collection_of_which_a_partition_knows_nothing_yet(tmp_path: Path) -> None:
    async def check() -> None:
        async with api(tmp_path, MemoryProjector(), 2) as workers:
            behind = workers[1].delivery(Topic.POINTS)
            behind.gate.shut()
            creating = asyncio.create_task(create(workers[0]))
            await settle()
            for path in ("/points/count", "/points/scroll"):
                response = await workers[1].send("POST", f"/collections/c{path}", json={})
                assert response.status_code == 503
                assert "retry-after" in response.headers
            behind.gate.open()
            await creating
            assert await count(workers[1]) == 0

    run(check)


def test_counts_are_those_of_segments_and_log(tmp_path: Path) -> None:
    async def check() -> None:
        async with api(tmp_path, MemoryProjector()) as [worker]:
            await create(worker)
            await worker.result("PUT", POINTS, json=points(1, 2), params=WAIT)
            info = await worker.result("GET", "/collections/c")
            assert (info["status"], info["points_count"], info["update_queue"]["length"]) == ("green", 2, 0)
            await worker.result("PATCH", "/collections/c", json={"optimizers_config": {"indexing_threshold": 1}})
            many = {"points": [{"id": i, "vector": [1.0, float(i)]} for i in range(2000)]}
            await worker.result("PUT", POINTS, json=many, params=WAIT)
            assert (await worker.result("GET", "/collections/c"))["status"] == "yellow"

    run(check)

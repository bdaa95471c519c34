"""What earlier releases wrote is opened, answers as it did, and goes on."""

import asyncio
import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from compose.settings import DataFolder
from ingest.embedded import EmbeddedLog
from projector.feed.catalog_follower import CatalogFeedFollower
from projector.feed.partition_follower import PartitionFeedFollower
from projector.folders import StateFolder
from projector.snapshot import SnapshotsFolder
from projector.snapshot.restore import restore
from projector.snapshot.seed import SnapshotSeed
from projector.state.origin import LogTruncatedError
from projector.state.store import PartitionState
from projector.verify import verify_partition
from tests.projector.feed.place import following
from tests.releases import traffic
from tests.releases.archive import NAMES, Release, digests_of, named
from tests.support.http import Http
from tests.support.server import Server
from tests.tools.world import Owner, replayed, run

PARTITIONS = 2


@pytest.fixture(params=NAMES)
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Release:
    name: str = request.param
    return Release(name, tmp_path)


def check_answers(release: Release) -> None:
    """Start on the data folder, ask, write more, and verify what became of it."""
    with Server(release.data) as server:
        server.start()
        with Http(server.port) as http:
            for question in release.questions:
                body = None if question.body is None else json.dumps(question.body).encode()
                assert http.send(question.method, question.path, body).result == question.result, question
            for method, path, body in traffic.more():
                assert http.send(method, path, json.dumps(body).encode()).result["status"] == "completed"
            found = http.post("/collections/late/points", {"ids": [100]}).result
            assert [point["id"] for point in found] == [100]
        assert server.stop() == 0
    run(verify(release.data))


async def verify(data: Path) -> None:
    """Fold the log afresh, from the snapshot where it was truncated, and compare."""
    folder = DataFolder(data)
    log = await EmbeddedLog.open(folder.log, read_only=True)
    seed = SnapshotSeed(SnapshotsFolder(folder.snapshots), log.identity)
    for partition in range(PARTITIONS):
        state = StateFolder(folder.state)
        verdict = await verify_partition(log, partition, state, data, lambda done: None, seed=seed)
        assert verdict.shards
        assert verdict.equal
    await log.close()


async def fold(data: Path) -> None:
    """Bring the state to the log's end."""
    folder = DataFolder(data)
    log = await EmbeddedLog.open(folder.log)
    try:
        with closing(Owner(log, StateFolder(folder.state))) as owner:
            await owner.catch_up()
    finally:
        await log.close()


def test_a_data_folder(release: Release) -> None:
    assert digests_of(release.data) == release.digests.data
    check_answers(release)


def test_a_snapshot(release: Release) -> None:
    folder = DataFolder(release.data)
    shutil.rmtree(folder.state)
    restore(SnapshotsFolder(folder.snapshots).find("monday"), folder.state)
    check_answers(release)


def test_a_truncated_log_with_a_snapshot(release: Release) -> None:
    folder = DataFolder(release.truncated)
    with pytest.raises(LogTruncatedError):
        run(fold(release.truncated))
    shutil.rmtree(folder.state)
    restore(SnapshotsFolder(folder.snapshots).find("monday"), folder.state)
    run(fold(release.truncated))
    assert digests_of(release.truncated) == release.digests.truncated
    run(verify(release.truncated))


def test_records(release: Release, tmp_path: Path) -> None:
    assert named(run(replayed(release.log(), tmp_path / "afresh"))) == release.digests.data


def test_a_feed(release: Release) -> None:
    folder = StateFolder(release.data / "state")
    identity = json.loads((release.data / "log" / "identity.json").read_bytes())["identity"]

    async def check() -> None:
        catalog = CatalogFeedFollower(folder, identity)
        async with following(catalog):
            await catalog.loaded()
            assert {c.name for c in catalog.collections()} == {"words", "things", "blocks", "late"}
        for partition in range(PARTITIONS):
            with closing(PartitionState.open(folder.rocksdb(partition), identity, read_only=True)) as state:
                reader = PartitionFeedFollower(folder, partition, identity)
                async with following(reader):
                    await reader.loaded()
                    assert reader.visible == state.applied
                    assert reader.shards.keys() == state.shards().keys()
                    for shard, live in reader.shards.items():
                        assert live.view.count == sum(1 for _ in state.scan(shard, None))

    asyncio.run(check())

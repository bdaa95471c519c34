"""What earlier releases wrote is opened, answers as it did, and goes on."""

import asyncio
import json
import shutil
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from compose.settings import DataFolder
from ingest.embedded import EmbeddedLog
from projector.feed.catalog_follower import CatalogFeedFollower
from projector.feed.partition_follower import PartitionFeedFollower
from projector.fold.effects import FOLD_VERSION
from projector.folders import StateFolder
from projector.snapshot import SnapshotsFolder
from projector.snapshot.description import read_description
from projector.snapshot.restore import restore
from projector.snapshot.seed import SnapshotSeed
from projector.state.fold_history import FOLD_VERSION_KEY, fold_rank
from projector.state.kv import Batch, KeyValue
from projector.state.origin import LogTruncatedError
from projector.state.store import PartitionState
from projector.worker.verify import verify_partition
from tests.projector.feed.place import following
from tests.releases import traffic
from tests.releases.archive import NAMES, Question, Release, digests_of, named
from tests.support.http import Http
from tests.support.server import Server
from tests.tools.world import Owner, replayed, run

PARTITIONS = 2
OTHER_VERSION = "4/1/unicode-15.1.0"
"""As Python 3.13 would have written it when the version had the interpreter's tables in it."""


@pytest.fixture(params=NAMES)
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Release:
    name: str = request.param
    return Release(name, tmp_path)


def _identity(data: Path) -> str:
    identity: str = json.loads((data / "log" / "identity.json").read_bytes())["identity"]
    return identity


def means_the_same(release: Release) -> bool:
    """Whether filters mean what they meant to the release."""
    fold = read_description(release.data / "snapshots" / "monday").fold
    return fold_rank(fold)[1] == fold_rank(FOLD_VERSION)[1]


def comparable(release: Release) -> list[Question]:
    """The questions that must still be answered so."""
    texts = (b'"text":"', b'"phrase":')
    every = means_the_same(release)
    return [q for q in release.questions if every or not any(t in msgspec.json.encode(q.body) for t in texts)]


def check_answers(release: Release) -> None:
    """Start on the data folder, ask, write more, and verify what became of it."""
    with Server(release.data) as server:
        server.start()
        with Http(server.port) as http:
            for question in comparable(release):
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
        assert verdict.equal or not verdict.same_folds
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


def test_what_another_version_of_the_fold_wrote(release: Release) -> None:
    folder = DataFolder(release.truncated)
    snapshot = folder.snapshots / "monday"
    for database in (snapshot / "catalog", *snapshot.glob("points-*/rocksdb")):
        with KeyValue.open(database) as kv:
            batch = Batch()
            batch.put(FOLD_VERSION_KEY, OTHER_VERSION.encode())
            kv.write(batch)
    restore(SnapshotsFolder(folder.snapshots).find("monday"), folder.state)
    run(fold(release.truncated))
    assert digests_of(release.truncated) == release.digests.truncated
    with closing(
        PartitionState.open(StateFolder(folder.state).rocksdb(0), _identity(release.truncated), read_only=True)
    ) as state:
        assert [span.version for span in state.folds] == [OTHER_VERSION, FOLD_VERSION]
    run(verify(release.truncated))


def test_records(release: Release, tmp_path: Path) -> None:
    afresh = named(run(replayed(release.log(), tmp_path / "afresh")))
    assert afresh.keys() == release.digests.data.keys()
    for shard, digest in release.digests.data.items():
        # What was changed by filters that look at texts.
        if digest[0] != "things" or means_the_same(release):
            assert afresh[shard] == digest


def test_a_feed(release: Release) -> None:
    folder = StateFolder(release.data / "state")
    identity = _identity(release.data)

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

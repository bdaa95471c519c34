"""``headwater log truncate``: only what a snapshot covers and everyone has read; what is left is enough to go on."""

import shutil
from pathlib import Path

import pytest

from compose.commands.log import truncate
from compose.errors import UserError
from compose.log_truncate import Cut, check_readers
from ingest.kafka import KafkaSettings
from ingest.log import Topic
from projector.folders import StateFolder
from projector.snapshot import Snapshot, SnapshotError, SnapshotsFolder
from projector.snapshot.check import check_snapshot
from projector.snapshot.create import create
from projector.snapshot.restore import restore
from projector.state.origin import StateMismatchError
from tests.support.server import headwater
from tests.tools.kafka_world import PARTITIONS, Deployment
from tests.tools.world import run


@pytest.fixture
def deployment(kafka_settings: KafkaSettings, tmp_path: Path) -> Deployment:
    return Deployment(kafka_settings, tmp_path / "data")


@pytest.mark.kafka
def test_everything_goes_on_after_it(deployment: Deployment) -> None:
    async def prepare() -> Snapshot:
        await deployment.begin()
        await deployment.fold()
        snapshot = await create(deployment.snapshots, deployment.folder, "one")
        await deployment.write()
        for group in ("router", "projector"):
            await deployment.commit(group)
        return snapshot

    snapshot = run(prepare())
    applied = snapshot.description.partitions
    limits = [(snapshot.description.catalog or 0) + 1, *(applied[p] + 1 for p in range(PARTITIONS))]
    code, said = deployment.tool("log", "truncate", "--dry-run")
    assert code == 0, said
    assert run(deployment.starts()) == [0, 0, 0]
    code, said = deployment.tool("log", "truncate")
    assert code == 0, said
    assert run(deployment.starts()) == limits
    # The live state goes on, from where the snapshot was made.
    live = run(deployment.fold())
    # So does what starts from the snapshot.
    into = StateFolder(deployment.data / "restored")
    restore(snapshot, into.root)
    assert run(deployment.fold(into)) == live
    # Nothing can start from nothing any more, and whoever tries is told what to do.
    with pytest.raises(StateMismatchError, match="starts at offset"):
        run(deployment.fold(StateFolder(deployment.data / "empty")))
    into = deployment.data / "replayed"
    code, said = deployment.tool("replay", "--into", str(into))
    assert (code, "headwater snapshot restore one" in said) == (1, True)
    assert not into.exists()
    code, said = deployment.tool("verify")
    assert (code, "digests are equal" in said) == (0, True), said
    # Again: there is nothing left to do, until there is a newer snapshot.
    assert deployment.tool("log", "truncate")[0] == 0
    assert run(deployment.starts()) == limits
    code, said = deployment.snapshot("create", "--name", "two")
    assert code == 0, said
    assert deployment.tool("log", "truncate")[0] == 0
    starts = run(deployment.starts())
    assert starts != limits
    assert starts[1:] == [deployment.snapshots.find("two").description.partitions[p] + 1 for p in range(PARTITIONS)]
    shutil.rmtree(deployment.folder.root)
    restore(deployment.snapshots.find("two"), deployment.folder.root)
    assert run(deployment.fold()) == live


@pytest.mark.kafka
def test_what_somebody_still_needs_stays(deployment: Deployment) -> None:
    async def prepare() -> None:
        await deployment.begin()
        await deployment.fold()

    run(prepare())
    prefix = deployment.settings.prefix
    code, said = deployment.tool("log", "truncate")
    assert (code, "has no snapshot of this log" in said) == (1, True)
    run(create(deployment.snapshots, deployment.folder, "one"))
    code, said = deployment.tool("log", "truncate")
    assert (code, f"the group {prefix}.router has read points-0 up to offset 0 only" in said) == (1, True)
    run(deployment.commit("router"))
    run(deployment.commit("replica", back=1))
    code, said = deployment.tool("log", "truncate")
    assert (code, f"the group {prefix}.replica has read points-1 up to offset" in said) == (1, True)
    assert f"the group {prefix}.router" not in said
    assert run(deployment.starts()) == [0, 0, 0]
    assert deployment.tool("log", "truncate", "--ignore-group", f"{prefix}.replica", "--dry-run")[0] == 0
    run(deployment.commit("replica"))
    assert deployment.tool("log", "truncate", "--snapshot", "one")[0] == 0
    assert run(deployment.starts()) != [0, 0, 0]


@pytest.mark.kafka
def test_a_snapshot_of_another_log(deployment: Deployment) -> None:
    async def prepare() -> None:
        await deployment.begin()
        await deployment.fold()
        await create(deployment.snapshots, deployment.folder, "one")

    run(prepare())
    other = Deployment(
        deployment.settings.model_copy(update={"prefix": "x" + deployment.settings.prefix}), deployment.data
    )
    run(other.begin())
    code, said = other.tool("log", "truncate", "--snapshot", "one")
    assert (code, "is of the log kafka:" in said) == (1, True)
    assert "has no snapshot of this log" in other.tool("log", "truncate")[1]


@pytest.mark.kafka
def test_a_snapshot_that_is_not_whole(deployment: Deployment) -> None:
    async def prepare() -> Snapshot:
        await deployment.begin()
        await deployment.fold()
        return await create(deployment.snapshots, deployment.folder, "one")

    snapshot = run(prepare())
    check_snapshot(snapshot)
    database = StateFolder(snapshot.folder).rocksdb(0)
    table = next(database.glob("*.sst"))
    whole = table.read_bytes()
    table.unlink()
    table.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    with pytest.raises(SnapshotError, match="can't be started from"):
        check_snapshot(snapshot)
    shutil.rmtree(database)
    with pytest.raises(SnapshotError, match="is missing"):
        check_snapshot(snapshot)


@pytest.mark.kafka
def test_no_snapshot_is_deleted_before_the_records_are(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    async def prepare() -> None:
        await deployment.begin()
        await deployment.fold()
        await create(deployment.snapshots, deployment.folder, "one")
        await deployment.commit("router")

    run(prepare())
    refused: list[str] = []

    async def delete_before(settings: KafkaSettings, limits: object) -> None:
        code, said = deployment.snapshot("delete", "one")
        assert code == 1
        refused.append(said)

    def leave_logging(level: str) -> None:
        """What it sets up would be there for the tests after this one, too."""

    monkeypatch.setattr("ingest.kafka.deletion.delete_before", delete_before)
    monkeypatch.setattr("compose.commands.options.configure_logging", leave_logging)
    kafka = deployment.settings
    truncate(data=deployment.data, kafka=kafka.bootstrap_servers, prefix=kafka.prefix)
    assert ["another command is at work on the snapshots" in said for said in refused] == [True]
    assert deployment.snapshot("delete", "one")[0] == 0


def test_another_command_is_at_work_on_the_snapshots(tmp_path: Path) -> None:
    snapshots = SnapshotsFolder(tmp_path / "snapshots")
    with snapshots.lock():
        done = headwater("log", "truncate", "--data", str(tmp_path), "--kafka", "127.0.0.1:1")
    assert (done.returncode, "another command is at work on the snapshots" in done.stderr) == (1, True)


def test_a_request_that_was_left_behind_is_not_taken_for_one_meanwhile(tmp_path: Path) -> None:
    snapshots = SnapshotsFolder(tmp_path / "snapshots")
    snapshots.partial("one").mkdir(parents=True)
    done = headwater("log", "truncate", "--data", str(tmp_path), "--kafka", "127.0.0.1:1")
    assert (done.returncode, "Kafka" in done.stderr) == (1, True)
    with snapshots.lock():
        assert snapshots.requested() is None


def test_who_needs_what() -> None:
    cuts = [Cut(Topic.CATALOG, 0, 0, 5), Cut(Topic.POINTS, 0, 3, 10), Cut(Topic.POINTS, 1, 7, 7)]
    router = {(Topic.POINTS, 0): 10}
    reader = {(Topic.POINTS, 0): 10, (Topic.CATALOG, 0): 5}

    def needed(**committed: dict[tuple[Topic, int], int]) -> None:
        check_readers(cuts, {name.replace("_", "."): offsets for name, offsets in committed.items()}, "p", ["gone"])

    needed(p_router=router, reader=reader, gone={(Topic.POINTS, 0): 0}, elsewhere={(Topic.REJECTED, 0): 0})
    with pytest.raises(UserError, match=r"p\.router has read points-0 up to offset 3 only"):
        needed(reader=reader)
    with pytest.raises(UserError, match="reader has read points-0 up to offset 9 only"):
        needed(p_router=router, reader={**reader, (Topic.POINTS, 0): 9})
    with pytest.raises(UserError, match="reader has read points-0 up to offset 3 only"):
        needed(p_router=router, reader={(Topic.POINTS, 1): 9})
    with pytest.raises(UserError, match="reader has read catalog-0 up to offset 4 only"):
        needed(p_router=router, reader={(Topic.CATALOG, 0): 4})

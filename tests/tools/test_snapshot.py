"""Snapshots: whole or not there, of one instant per part, and something to start from."""

import asyncio
import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ingest.log import Topic
from projector.folders import StateFolder
from projector.segments.builder import SegmentBuilder
from projector.segments.shard_files import condemn
from projector.snapshot import SnapshotError, SnapshotsFolder, files
from projector.snapshot.advice import advising
from projector.snapshot.create import create
from projector.snapshot.files import tree_bytes
from projector.snapshot.restore import restore
from projector.snapshot.service import SnapshotService
from projector.state.origin import StateMismatchError, check_log
from projector.state.store import PartitionState
from projector.view.recovery import open_views
from tests.support.memory_log import MemoryLog
from tests.support.waiting import eventually
from tests.tools.world import Owner, World, digests, replayed, run

PARTITIONS = 2
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


class _Nothing:
    folder = Path()
    applied = -1
    last_checksum = None


class Place:
    """A state folder, its snapshots, and the log it was folded from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = MemoryLog(PARTITIONS)
        self.world = World(self.log)
        self.folder = StateFolder(root / "state")
        self.snapshots = SnapshotsFolder(root / "snapshots")

    async def begin(self) -> Owner:
        """Some collections, some points, in segments and after them; the owner of the state, caught up."""
        await self.world.create_collections()
        await self.world.write()
        owner = Owner(self.log, self.folder)
        await owner.catch_up()
        owner.seal()
        await self.world.write(5)
        await owner.catch_up()
        return owner

    @asynccontextmanager
    async def serving(self, owner: Owner) -> AsyncGenerator[SnapshotService]:
        """The owner's process answers requests for snapshots."""
        service = SnapshotService(self.snapshots, self.folder, self.log.identity)
        service.add_catalog(owner.catalog)
        for partition, state in enumerate(owner.states):
            service.add_partition(partition, state)
        task = asyncio.create_task(service.run())
        try:
            yield service
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def check_start(self, name: str) -> None:
        """Start from the snapshot ``name``: exactly what the log says up to where it stands, and then all of it."""
        snapshot = self.snapshots.find(name)
        into = StateFolder(self.root / f"from-{name}")
        restore(snapshot, into.root)
        before = MemoryLog(PARTITIONS)
        for topic, partition, end in self._ends(snapshot.description.catalog, snapshot.description.partitions):
            for record in (await self.log.read(topic, partition, 0, 1 << 30))[:end]:
                await before.append(topic, partition, record.value, headers=record.headers)
        assert digests(into, "memory") == await replayed(before, self.root / f"replayed-{name}")
        owner = Owner(self.log, into)
        try:
            await owner.catch_up()
            assert digests(into, "memory") == await replayed(self.log, self.root / f"replayed-all-{name}")
        finally:
            owner.close()

    def _ends(self, catalog: int | None, partitions: dict[int, int]) -> list[tuple[Topic, int, int]]:
        assert catalog is not None
        return [(Topic.CATALOG, 0, catalog + 1), *((Topic.POINTS, p, applied + 1) for p, applied in partitions.items())]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_of_a_running_process(place: Place) -> None:
    async def main() -> None:
        owner = await place.begin()
        async with place.serving(owner):
            snapshot = await create(place.snapshots, place.folder, "one")
            assert snapshot.description.partitions == {p: s.applied for p, s in enumerate(owner.states)}
            assert snapshot.description.catalog == owner.catalog.applied
            await place.world.write()
            await owner.catch_up()
            await create(place.snapshots, place.folder, "two")
        owner.close()
        await place.check_start("one")
        await place.check_start("two")

    run(main())
    assert [snapshot.name for snapshot in place.snapshots.complete()] == ["one", "two"]
    newest = place.snapshots.newest("memory")
    assert newest is not None
    assert newest.name == "two"
    assert place.snapshots.newest("another") is None


def test_with_nobody_running(place: Place) -> None:
    async def main() -> None:
        owner = await place.begin()
        owner.close()
        await create(place.snapshots, place.folder, "one")
        await place.check_start("one")

    run(main())


def test_when_only_some_parts_have_an_owner(place: Place) -> None:
    async def main() -> None:
        owner = await place.begin()
        async with place.serving(owner) as service:
            await service.remove_partition(1)
            owner.states[1].close()
            await create(place.snapshots, place.folder, "one")
        await place.check_start("one")

    run(main())


def test_segments_come_with_it_and_are_used(place: Place) -> None:
    async def main() -> None:
        owner = await place.begin()
        async with place.serving(owner):
            snapshot = await create(place.snapshots, place.folder, "one")
        owner.close()
        into = StateFolder(place.root / "into")
        restore(snapshot, into.root)
        builder = SegmentBuilder()
        try:
            for partition in range(PARTITIONS):
                state = PartitionState.open(into.rocksdb(partition), "memory")
                follower = await open_views(partition, state, into, builder)
                for shard, live in follower.shards.items():
                    assert [part.segment.name for part in live.view.segments] == ["s000000000001"]
                    assert live.view.count == len(list(state.scan(shard, None)))
                state.close()
            # Nothing had to be built.
            assert builder.pids == []
        finally:
            await builder.close()

    run(main())


def test_a_damaged_segment_is_left_out_and_built_anew_from_it(place: Place) -> None:
    async def main() -> None:
        owner = await place.begin()
        shard = next(iter(owner.states[0].shards()))
        condemn(place.folder.shard(0, shard) / "s000000000001")
        async with place.serving(owner):
            snapshot = await create(place.snapshots, place.folder, "one")
        owner.close()
        assert [path.name for path in StateFolder(snapshot.folder).shard(0, shard).iterdir()] == ["manifest"]
        into = StateFolder(place.root / "into")
        restore(snapshot, into.root)
        builder = SegmentBuilder()
        state = PartitionState.open(into.rocksdb(0), "memory")
        try:
            follower = await open_views(0, state, into, builder)
            assert follower.shards[shard].view.count == len(list(state.scan(shard, None)))
            assert builder.pids != []
        finally:
            state.close()
            await builder.close()

    run(main())


def test_it_goes_on_from_a_log_that_was_truncated(place: Place) -> None:
    async def main() -> None:
        owner = await place.begin()
        async with place.serving(owner):
            snapshot = await create(place.snapshots, place.folder, "one")
        for partition, applied in snapshot.description.partitions.items():
            place.log.drop_before(Topic.POINTS, partition, applied + 1)
        place.log.drop_before(Topic.CATALOG, 0, owner.catalog.applied + 1)
        await place.world.write()
        await owner.catch_up()
        expected = digests(place.folder, "memory")
        owner.close()
        into = StateFolder(place.root / "into")
        restore(snapshot, into.root)
        again = Owner(place.log, into)
        await again.catch_up()
        again.close()
        assert digests(into, "memory") == expected
        empty = Owner(place.log, StateFolder(place.root / "empty"))
        with pytest.raises(StateMismatchError, match="starts at offset"):
            await empty.catch_up()
        empty.close()
        with (
            pytest.raises(StateMismatchError, match="headwater snapshot restore one --data"),
            advising(place.snapshots, "memory"),
        ):
            await check_log(_Nothing(), place.log, Topic.POINTS, 0)
        place.snapshots.delete("one")
        with (
            pytest.raises(StateMismatchError, match="There is no snapshot of this log"),
            advising(place.snapshots, "memory"),
        ):
            await check_log(_Nothing(), place.log, Topic.POINTS, 0)

    run(main())


def test_one_that_was_given_up_is_not_there(place: Place) -> None:
    async def main() -> None:
        owner = await place.begin()
        # Nobody answers: the state is open, and its owner doesn't look.
        with pytest.raises(SnapshotError, match="doesn't answer"):
            await create(place.snapshots, place.folder, "one", unanswered_seconds=0)
        owner.close()

    run(main())
    assert place.snapshots.complete() == []
    assert [path.name for path in place.snapshots.root.iterdir()] == ["LOCK"]


def test_why_a_part_could_not_be_made_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("projector.snapshot.parts.link_or_copy", full)

    async def main() -> None:
        owner = await place.begin()
        async with place.serving(owner):
            with pytest.raises(SnapshotError, match=r"points-0000\d: .*No space left"):
                await create(place.snapshots, place.folder, "one")
            monkeypatch.undo()
            await create(place.snapshots, place.folder, "two")
        owner.close()
        await place.check_start("two")

    run(main())
    assert [snapshot.name for snapshot in place.snapshots.complete()] == ["two"]
    assert not list(place.folder.root.glob(".snapshot*"))


def test_copies_where_there_can_be_no_links(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(files.os, "link", no_link)
    rename = Path.rename

    def other_device(self: Path, target: Path) -> Path:
        if self.name.startswith(".snapshot-"):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", other_device)

    async def main() -> None:
        owner = await place.begin()
        async with place.serving(owner):
            await create(place.snapshots, place.folder, "one")
        owner.close()
        await place.check_start("one")

    run(main())
    assert not list(place.folder.root.glob(".snapshot*"))


def test_a_plain_copy_on_another_machine(place: Place) -> None:
    async def main() -> None:
        owner = await place.begin()
        async with place.serving(owner):
            await create(place.snapshots, place.folder, "one")
        expected = digests(place.folder, "memory")
        owner.close()
        copy = place.root / "copy"
        shutil.copytree(place.snapshots.path("one"), copy)
        place.snapshots.delete("one")
        shutil.rmtree(place.folder.root)
        again = Owner(place.log, StateFolder(copy))
        await again.catch_up()
        again.close()
        assert digests(StateFolder(copy), "memory") == expected

    run(main())
    assert place.snapshots.complete() == []


def test_what_is_restored_is_changed_without_the_snapshot(place: Place) -> None:
    async def main() -> None:
        owner = await place.begin()
        async with place.serving(owner):
            snapshot = await create(place.snapshots, place.folder, "one")
        owner.close()
        size = tree_bytes(snapshot.folder)
        for attempt in range(2):
            into = StateFolder(place.root / f"into-{attempt}")
            restore(snapshot, into.root)
            await place.world.write()
            again = Owner(place.log, into)
            await again.catch_up()
            again.close()
            shutil.rmtree(into.root)
        assert tree_bytes(snapshot.folder) == size
        await place.check_start("one")

    run(main())


def test_a_folder_that_cannot_be_read_ends_nothing(place: Place) -> None:
    place.snapshots.root.write_text("not a folder")

    async def main() -> None:
        owner = await place.begin()
        async with place.serving(owner) as service:
            with pytest.raises(NotADirectoryError):
                await service.answer()
            await asyncio.sleep(0)
            place.snapshots.root.unlink()
            await create(place.snapshots, place.folder, "one")
        owner.close()

    run(main())


def test_names_and_places_that_will_not_do(place: Place) -> None:
    async def main() -> None:
        with pytest.raises(SnapshotError, match="no state"):
            await create(place.snapshots, place.folder, "one")
        owner = await place.begin()
        owner.close()
        snapshot = await create(place.snapshots, place.folder, "one")
        with pytest.raises(SnapshotError, match="one already"):
            await create(place.snapshots, place.folder, "one")
        with pytest.raises(SnapshotError, match="is not empty"):
            restore(snapshot, place.folder.root)

    run(main())
    for name in ("", ".hidden", "a/b", "../x"):
        with pytest.raises(SnapshotError, match="is no name"):
            place.snapshots.path(name)
    with pytest.raises(SnapshotError, match="there are: one"):
        place.snapshots.find("two")
    with place.snapshots.lock(), pytest.raises(SnapshotError, match="another command"), place.snapshots.lock():
        pass


def test_snapshots_that_cannot_be_read_are_left_out(place: Place) -> None:
    for name, text in {"a": None, "b": "", "c": '{"version": 2}', "d": '{"version": 1, "name": 3}'}.items():
        folder = place.snapshots.root / name
        folder.mkdir(parents=True)
        if text is not None:
            (folder / "snapshot.json").write_text(text)
    assert place.snapshots.complete() == []
    with pytest.raises(SnapshotError, match="has version 2"):
        place.snapshots.find("c")


COMMAND = """
import asyncio, sys
from pathlib import Path
from projector.folders import StateFolder
from projector.snapshot import SnapshotsFolder
from projector.snapshot.advice import advising
from projector.snapshot.create import create
root = Path(sys.argv[1])
asyncio.run(create(SnapshotsFolder(root / "snapshots"), StateFolder(root / "state"), "killed"))
"""


def test_a_command_that_was_killed(place: Place) -> None:
    owner = run(place.begin())
    command = subprocess.Popen([sys.executable, "-c", COMMAND, str(place.root)], env=ENVIRONMENT)
    try:
        eventually(lambda: place.snapshots.requested() is not None)
    finally:
        command.kill()
        command.wait()
    # Its request is nobody's.
    assert place.snapshots.requested() is None
    assert place.snapshots.complete() == []

    async def main() -> None:
        async with place.serving(owner):
            await create(place.snapshots, place.folder, "one")
        owner.close()
        await place.check_start("one")

    run(main())
    assert sorted(path.name for path in place.snapshots.root.iterdir()) == ["LOCK", "one"]


OWNER = """
import asyncio, os, signal, sys
from contextlib import closing
from pathlib import Path
from projector.folders import StateFolder
from projector.snapshot import SnapshotsFolder
from projector.snapshot.service import SnapshotService
from projector.state.store import PartitionState
import projector.snapshot.contribution as contribution
root, instant = Path(sys.argv[1]), sys.argv[2]
folder = StateFolder(root / "state")
def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(contribution, instant, die)
async def main():
    service = SnapshotService(SnapshotsFolder(root / "snapshots"), folder, "memory")
    service.add_partition(0, PartitionState.open(folder.rocksdb(0), "memory"))
    print("ready", flush=True)
    await service.run()
asyncio.run(main())
"""


@pytest.mark.parametrize("instant", ["sync_tree", "sync_folder", "_deliver"])
def test_an_owner_that_is_killed_in_the_middle(place: Place, instant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projector.snapshot.create.TRY_SECONDS", 0.5)
    run(place.begin()).close()
    command = [sys.executable, "-c", OWNER, str(place.root), instant]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        # The command takes the part over once its owner is gone.
        run(create(place.snapshots, place.folder, "one"))
        assert process.wait() == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
    run(place.check_start("one"))
    assert not list(place.folder.root.glob(".snapshot*"))

"""Makes an archive of this release: ``python -m tests.releases.make NAME``."""

import asyncio
import json
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import msgspec

from compose.settings import DataFolder
from ingest.embedded import EmbeddedLog
from ingest.log import Topic
from projector.catalog.store import CatalogStore
from projector.feed.catalog_feed import CatalogFeed
from projector.feed.partition_feed import PartitionFeed
from projector.folders import StateFolder
from projector.segments.builder import SegmentBuilder
from projector.snapshot import SnapshotsFolder
from projector.snapshot.create import create
from projector.state.store import PartitionState
from projector.view.recovery import open_views
from projector.worker.partition_runner import PartitionRunner
from projector.worker.relay import rejecter
from tests.releases import traffic
from tests.releases.archive import FOLDER, Digests, Exported, Question, digests_of
from tests.support.http import Http
from tests.support.server import Server, headwater
from tests.support.waiting import eventually
from tests.tools.world import Owner, World

PARTITIONS = 2


def make(name: str, root: Path) -> None:
    """Write everything below ``root`` and pack it."""
    _write_data(root / "data")
    asyncio.run(_add_foreign_records(DataFolder(root / "data")))
    records = asyncio.run(_export(DataFolder(root / "data")))
    (root / "records.jsonl").write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    (root / "answers.json").write_bytes(msgspec.json.encode(_answers(root / "data")))
    asyncio.run(_write_truncated(DataFolder(root / "truncated")))
    found = Digests(digests_of(root / "data"), digests_of(root / "truncated"))
    (root / "digests.json").write_bytes(msgspec.json.encode(found))
    shutil.rmtree(root / "truncated" / "state")
    with tarfile.open(FOLDER / f"{name}.tar.xz", "w:xz", preset=9) as archive:
        for part in ("data", "truncated", "answers.json", "digests.json", "records.jsonl"):
            archive.add(root / part, part, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if Path(entry.name).name in ("LOG", "LOCK") or Path(entry.name).name.startswith("LOG.old"):
        return None
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def send(http: Http, requests: Iterable[traffic.Request]) -> None:
    """Send requests, all of which must succeed."""
    for method, path, body in requests:
        answer = http.send(method, path, None if body is None else json.dumps(body).encode())
        assert answer.status == 200, (path, answer.body)


def _write_data(data: Path) -> None:
    with Server(data, ["--partitions", str(PARTITIONS)]) as server:
        server.start()
        with Http(server.port) as http:
            send(http, traffic.creation())
            eventually(lambda: len(list(data.glob("state/points-*/shards/*/*/*graph*"))) >= 2)
            send(http, traffic.changes())
            made = headwater("snapshot", "create", "--name", "monday", "--data", str(data))
            assert made.returncode == 0, made.stderr
            send(http, traffic.afterwards())
        server.stop()


async def _add_foreign_records(folder: DataFolder) -> None:
    state_folder = StateFolder(folder.state)
    log = await EmbeddedLog.open(folder.log)
    with closing(CatalogStore.open(state_folder.catalog, log.identity, read_only=True)) as catalog:
        feed = CatalogFeed(state_folder, log.identity)
        feed.publish(catalog.applied, catalog.state, (), ())
        feed.close()
    for partition, key, value in traffic.foreign():
        await log.append(Topic.POINTS, partition, value, key=key)
    builder = SegmentBuilder()
    for partition in range(PARTITIONS):
        state = PartitionState.open(state_folder.rocksdb(partition), log.identity)
        await open_views(partition, state, state_folder, builder)
        feed = await PartitionFeed.open(state_folder, partition, log.identity, state)
        runner = PartitionRunner(log, partition, state, feed.on_frame, reject=rejecter(log, Topic.POINTS))
        await runner.catch_up(await log.end_offset(Topic.POINTS, partition))
        feed.flush()
        feed.close()
        await state.sync()
        state.close()
    await builder.close()
    await log.close()


async def _export(folder: DataFolder) -> list[Exported]:
    log = await EmbeddedLog.open(folder.log, read_only=True)
    found: list[Exported] = []
    for topic in (Topic.CATALOG, Topic.POINTS):
        for partition in range(log.partitions(topic)):
            offset, end = 0, await log.end_offset(topic, partition)
            while offset < end:
                records = await log.read(topic, partition, offset, 1 << 20)
                found += [Exported.of(topic, record) for record in records]
                offset = records[-1].offset + 1
    await log.close()
    return found


def _answers(data: Path) -> list[Question]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "data"
        shutil.copytree(data, copy)
        with Server(copy) as server:
            server.start()
            with Http(server.port) as http:
                return [
                    Question(method, path, body, http.send(method, path, body and json.dumps(body).encode()).result)
                    for method, path, body in traffic.questions()
                ]


async def _write_truncated(folder: DataFolder) -> None:
    log = await EmbeddedLog.open(folder.log, PARTITIONS, segment_bytes=4096)
    world = World(log)
    await world.create_collections()
    await world.write(60)
    state = StateFolder(folder.state)
    owner = Owner(log, state)
    await owner.catch_up()
    owner.seal()
    owner.close()
    snapshot = await create(SnapshotsFolder(folder.snapshots), state, "monday")
    await world.write(60)
    owner = Owner(log, state)
    await owner.catch_up()
    owner.close()
    await log.close()
    for partition, applied in snapshot.description.partitions.items():
        files = sorted((folder.log / f"points-{partition}").glob("*.log"))
        superfluous = [before for before, after in pairwise(files) if int(after.stem) <= applied]
        assert superfluous
        for file in superfluous:
            file.unlink()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        make(sys.argv[1], Path(made))

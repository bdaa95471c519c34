"""Collections and points on any log, written as Headwater's own writers do; states folded from it; their digests."""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeVar

import msgspec

from ingest.log import Log, Topic
from ingest.outcomes import Rejection
from ingest.sharding import records_of
from projector.catalog.state import CatalogState
from projector.catalog.store import CatalogStore
from projector.folders import StateFolder
from projector.segments.build import build_segment
from projector.segments.manifest import Manifest, SegmentEntry, write_manifest
from projector.segments.shard_files import segment_name, spill_path
from projector.segments.spec import BuildSpec
from projector.segments.spill import write_spill
from projector.state.digest import ShardDigest, digest_shard
from projector.state.origin import check_log
from projector.state.store import PartitionState
from projector.worker.catalog_runner import CatalogRunner
from projector.worker.partition_runner import PartitionRunner, ignore_frame
from projector.worker.replay import replay
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId, to_wire
from schemas.operations import DeletePoints, Operation, Outcome, SetPayload, Upsert
from schemas.records import (
    CANONICAL_CONTENT_TYPE,
    CONTENT_TYPE_HEADER,
    CatalogRecord,
    CreateCollection,
    PointsRecord,
    encode_record,
)
from tests.projector.fold.memory_state import column

T = TypeVar("T")

HEADERS = ((CONTENT_TYPE_HEADER, CANONICAL_CONTENT_TYPE),)
COLLECTIONS = {"words": (11, 3), "things": (12, 2)}
"""Name -> (uid, shards)."""


def run(awaitable: Awaitable[T]) -> T:
    """Run to the end on an event loop of its own."""

    async def main() -> T:
        return await awaitable

    return asyncio.run(main())


async def ignore_record(rejections: Sequence[Rejection]) -> None:
    """For runs whose rejections nobody looks at."""


def ignore_catalog(offset: int, state: CatalogState, outcomes: Sequence[Outcome], markers: object) -> None:
    """For runs whose catalog nobody reads."""


def config(shards: int) -> CollectionConfig:
    """One unnamed vector of two numbers."""
    return CollectionConfig(vectors={"": VectorParams(2, Distance.DOT)}, shard_number=shards)


class World:
    """Writes to a log. The markers are sent by a catalog runner, whose state is temporary."""

    def __init__(self, log: Log, seed: int = 1) -> None:
        self.log = log
        self._rng = random.Random(seed)
        self._catalog = CatalogState()

    async def create_collections(self) -> None:
        """Make COLLECTIONS; their markers are on the log then."""
        for name, (uid, shards) in COLLECTIONS.items():
            partitions = self.log.partitions(Topic.POINTS)
            await self.catalog(CreateCollection(uid=uid, name=name, config=config(shards), partitions=partitions))
        await self._read_catalog(send=True)

    async def know_collections(self) -> None:
        """COLLECTIONS are on the log already."""
        await self._read_catalog(send=False)

    async def _read_catalog(self, *, send: bool) -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = CatalogStore.open(Path(folder), self.log.identity)
            try:
                runner = CatalogRunner(self.log, store, ignore_catalog, ignore_record, send=send)
                await runner.catch_up(await self.log.end_offset(Topic.CATALOG, 0))
                self._catalog = store.state
            finally:
                store.close()

    async def catalog(self, record: CatalogRecord) -> int:
        """One catalog record."""
        return await self.log.append(Topic.CATALOG, 0, encode_record(record), headers=HEADERS)

    async def write(self, records: int = 30) -> None:
        """Some operations, one after the other: most of them upserts."""
        for _ in range(records):
            name = self._rng.choice(list(COLLECTIONS))
            await self.operate(name, self._operation())

    async def operate(self, name: str, operation: Operation) -> None:
        """One operation on a collection: a record for each shard it touches."""
        meta = self._catalog.collections[name]
        for shard, ops in records_of([operation], len(meta.shard_map), 1 << 20):
            value = encode_record(PointsRecord(uid=meta.uid, shard=shard, ops=ops))
            await self.log.append(Topic.POINTS, meta.shard_map[shard], value, headers=HEADERS)

    def _operation(self) -> Operation:
        ids = self._rng.sample(range(200), self._rng.randrange(1, 20))
        wire = [to_wire(PointId(point_id)) for point_id in ids]
        kind = self._rng.random()
        if kind < 0.1:
            return DeletePoints(wire)
        if kind < 0.2:
            return SetPayload(b'{"seen": true}', filter={"must": [{"key": "n", "match": {"value": ids[0]}}]})
        rows = [[self._rng.random(), 1.0] for _ in ids]
        return Upsert(wire, {"": column(*rows)}, [msgspec.json.encode({"n": point_id}) for point_id in ids])


class Owner:
    """The open states of a whole state folder, which follow a log when told to."""

    def __init__(self, log: Log, folder: StateFolder) -> None:
        self.log = log
        self.folder = folder
        with ExitStack() as opened:
            self.catalog = opened.enter_context(closing(CatalogStore.open(folder.catalog, log.identity)))
            self.states = [
                opened.enter_context(closing(PartitionState.open(folder.rocksdb(partition), log.identity)))
                for partition in range(log.partitions(Topic.POINTS))
            ]
            self._opened = opened.pop_all()

    async def catch_up(self) -> None:
        """Check that the log fits, and fold what is on it."""
        await check_log(self.catalog, self.log, Topic.CATALOG, 0)
        catalog = CatalogRunner(self.log, self.catalog, ignore_catalog, ignore_record, send=False)
        await catalog.catch_up(await self.log.end_offset(Topic.CATALOG, 0))
        for partition, state in enumerate(self.states):
            await check_log(state, self.log, Topic.POINTS, partition)
            runner = PartitionRunner(self.log, partition, state, ignore_frame)
            await runner.catch_up(await self.log.end_offset(Topic.POINTS, partition))

    def seal(self) -> None:
        """Give every shard one segment with all its points, and a manifest, as the sealer would."""
        for partition, state in enumerate(self.states):
            for shard, meta in state.shards().items():
                folder = self.folder.shard(partition, shard)
                folder.mkdir(parents=True, exist_ok=True)
                spill = spill_path(folder, 1)
                with write_spill(spill) as file:
                    file.add(*zip(*state.scan(shard, None), strict=True))
                spec = BuildSpec(str(folder / segment_name(1)), meta.config, [str(spill)], [])
                size = build_segment(spec, lambda fraction: None).slots
                write_manifest(folder, Manifest(state.applied, 2, [SegmentEntry(segment_name(1), size)]))
                state.drop_changed(shard, state.applied)

    def close(self) -> None:
        """Close every state."""
        self._opened.close()


Digests = dict[tuple[int, int, int], ShardDigest]
"""(partition, uid, shard) -> digest."""


def digests(folder: StateFolder, identity: str) -> Digests:
    """The digests of all shards in a state folder, which may be in use."""
    found: Digests = {}
    for path in sorted(folder.root.glob("points-*")):
        partition = int(path.name.removeprefix("points-"))
        with closing(PartitionState.open(folder.rocksdb(partition), identity, read_only=True)) as state:
            for shard in state.shards():
                found[partition, shard.uid, shard.shard] = digest_shard(state, shard)
    return found


async def replayed(log: Log, folder: Path) -> Digests:
    """The digests of a log that is folded afresh."""
    await replay(log, folder, lambda done: None)
    return digests(StateFolder(folder), log.identity)

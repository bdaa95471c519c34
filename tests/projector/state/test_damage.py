"""A damaged table file: whatever reads the state says so, and nothing takes a part of it for all."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.foreign import Destination
from projector.catalog.effects import CatalogEffects
from projector.catalog.state import CatalogState, CollectionMeta
from projector.catalog.store import CatalogStore
from projector.fold.effects import FOLD_VERSION, ShardMeta
from projector.folders import StateFolder
from projector.frames import ShardId
from projector.segments.builder import SegmentBuilder
from projector.snapshot import SnapshotError
from projector.snapshot.check import check_snapshot
from projector.snapshot.description import Description
from projector.snapshot.snapshots import Snapshot
from projector.state.digest import digest_shard
from projector.state.errors import StateDamagedError
from projector.state.store import PartitionState
from projector.view.recovery import open_views
from schemas.ids import PointId
from schemas.operations import Outcome
from schemas.records import Origin
from tests.projector.fold.memory_state import CONFIG
from tests.projector.fold.one import One, commit
from tests.projector.state.samples import open_state, run

SHARD = ShardId(7, 0)
POINTS = 2000


def _fill(state: PartitionState) -> None:
    """Points, changed ids, outcomes, entries of the outbox and watermarks, each in many blocks."""
    rng = random.Random(1)
    for offset in range(0, POINTS, 10):
        points: dict[PointId, bytes | None] = {PointId(i): rng.randbytes(300) for i in range(offset, offset + 10)}
        effects = One(shard=SHARD, points=points, meta=ShardMeta("things", CONFIG, [0], offset))
        effects.outcomes = [Outcome(rng.randbytes(200).hex(), 400)]
        effects.destination = Destination(name=rng.randbytes(200).hex())
        effects.watermark = Origin(offset, offset, 0)
        commit(state, effects, offset, b"")
    run(state.flush())


def _table(folder: Path) -> Path:
    return max(folder.glob("*.sst"), key=lambda path: path.stat().st_size)


def _overwrite(path: Path, at: float) -> None:
    with path.open("rb+") as file:
        file.seek(int(path.stat().st_size * at))
        file.write(bytes(range(64)))


READS: dict[str, Callable[[PartitionState], object]] = {
    "points": lambda state: list(state.scan(SHARD, None)),
    "digest": lambda state: digest_shard(state, SHARD),
    "single points": lambda state: state.points(SHARD, [PointId(i) for i in range(POINTS)]),
    "changed ids": lambda state: state.changed_since(SHARD, -1),
    "outcomes": lambda state: list(state.outcomes_since(0)),
    "outbox": lambda state: state.outbox(0, POINTS),
}


def _damaged_states(folder: Path, refusals: list[str]) -> Iterator[PartitionState]:
    """The same state, damaged in one place each time, where it can be opened."""
    state = open_state(folder)
    _fill(state)
    state.close()
    table = _table(folder)
    whole = table.read_bytes()
    for place in range(1, 20):
        _overwrite(table, place / 20)
        try:
            state = open_state(folder)
        except StateDamagedError as error:
            refusals.append(str(error))
        else:
            yield state
            state.close()
        assert _table(folder) == table
        table.write_bytes(whole)


def test_every_read_gives_all_or_says_what_is_damaged(tmp_path: Path) -> None:
    whole = open_state(tmp_path / "whole")
    _fill(whole)
    expected = {name: read(whole) for name, read in READS.items()}
    whole.close()
    refusals: list[str] = []
    refused: set[str] = set()
    for state in _damaged_states(tmp_path / "state", refusals):
        for name, read in READS.items():
            try:
                assert read(state) == expected[name]
            except StateDamagedError as error:
                refusals.append(str(error))
                refused.add(name)
    assert {"points", "digest", "single points"} <= refused
    table = _table(tmp_path / "state").name
    assert all(table in why and "rebuild" in why and "snapshot" in why for why in refusals)


def test_a_snapshot_with_a_damaged_table_does_not_pass(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    database = folder.rocksdb(0)
    state = open_state(database)
    _fill(state)
    state.close()
    description = Description(
        name="s", created_ms=0, identity="memory", fold=FOLD_VERSION, catalog=None, partitions={0: POINTS - 10}
    )
    check_snapshot(Snapshot(tmp_path, description))
    _overwrite(_table(database), 0.5)
    with pytest.raises(SnapshotError, match=_table(database).name):
        check_snapshot(Snapshot(tmp_path, description))


def test_views_are_not_rebuilt_from_a_part(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    state = open_state(folder.rocksdb(0))
    _fill(state)
    state.drop_changed(SHARD, POINTS)
    state.close()
    _overwrite(_table(folder.rocksdb(0)), 0.4)
    state = open_state(folder.rocksdb(0))

    async def build() -> None:
        builder = SegmentBuilder()
        try:
            await open_views(0, state, folder, builder)
        finally:
            await builder.close()

    with pytest.raises(StateDamagedError):
        run(build())
    state.close()


def test_a_catalog_is_not_opened_in_part(tmp_path: Path) -> None:
    store = CatalogStore.open(tmp_path, "memory")
    rng = random.Random(1)
    names = [rng.randbytes(100).hex() for _ in range(200)]
    collections = {name: CollectionMeta(uid, name, CONFIG, [0]) for uid, name in enumerate(names)}
    store.commit(CatalogEffects(CatalogState(collections, {}, 0), Outcome()), 0, b"")
    run(store.flush())
    store.close()
    _overwrite(_table(tmp_path), 0.4)
    with pytest.raises(StateDamagedError, match=_table(tmp_path).name):
        CatalogStore.open(tmp_path, "memory")

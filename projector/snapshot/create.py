"""Making a snapshot: ask the owners of the state's parts, take the parts that nobody owns, name the whole at last."""

import asyncio
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from ingest.disk import sync_folder
from projector.catalog.store import CatalogStore
from projector.folders import StateFolder
from projector.snapshot.contribution import Report, contribute, drop_reports, is_wanted, report_of
from projector.snapshot.description import Description, write_description
from projector.snapshot.errors import SnapshotError
from projector.snapshot.files import sync_tree
from projector.snapshot.parts import CatalogPart, PartitionPart
from projector.snapshot.snapshots import Snapshot, SnapshotsFolder
from projector.state.errors import StateLockedError
from projector.state.fold_history import FOLD_VERSION_KEY, fold_rank
from projector.state.kv import KeyValue
from projector.state.origin import IDENTITY
from projector.state.store import PartitionState

LOOK_SECONDS = 0.1
TRY_SECONDS = 5.0
"""How often it is tried whether a missing part has an owner. Not oftener: each time RocksDB begins a new LOG."""
UNANSWERED_SECONDS = 60.0

Advance = Callable[[int], None]
"""Told how many parts are there."""


async def create(
    snapshots: SnapshotsFolder,
    folder: StateFolder,
    name: str,
    advance: Advance = lambda done: None,
    *,
    unanswered_seconds: float = UNANSWERED_SECONDS,
) -> Snapshot:
    """Make the snapshot ``name`` of a state folder and return it. Processes may be using the state, or none.

    Every part is as of one instant. Different parts are of different instants: they are folds of different partitions
    of the log, and each catches up with its own. Raises SnapshotError, StateDamagedError, OSError; then there is no
    such snapshot, nor a part of one.
    """
    parts = _parts(folder)
    if not parts:
        raise SnapshotError(f"there is no state in {folder.root}")
    with snapshots.lock():
        snapshots.sweep()
        if snapshots.path(name).exists():
            raise SnapshotError(f"there is a snapshot {name} already")
        created_ms = time.time_ns() // 1_000_000
        partial = snapshots.partial(name)
        partial.mkdir()
        try:
            reports = await _Collection(partial, folder, parts, unanswered_seconds).run(advance)
            write_description(partial, _description(name, created_ms, reports))
            drop_reports(partial)
            await asyncio.to_thread(sync_tree, partial)
            partial.rename(snapshots.path(name))
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync_folder(snapshots.root)
    return snapshots.find(name)


def _parts(folder: StateFolder) -> list[str]:
    """The names of the parts that a state folder has: partitions that no worker opened yet have no state."""
    partitions = sorted(path.name for path in folder.root.glob("points-*") if (path / "rocksdb").exists())
    return [folder.catalog.name, *partitions] if folder.catalog.exists() else partitions


def _partition(part: str) -> int:
    return int(part.removeprefix("points-"))


def _description(name: str, created_ms: int, reports: dict[str, Report]) -> Description:
    identities = {report.identity for report in reports.values()}
    if len(identities) > 1:
        raise SnapshotError(f"the parts of the state are of different logs: {', '.join(sorted(identities))}")
    applied = {part: report.applied for part, report in reports.items()}
    catalog = applied.pop("catalog", None)
    return Description(
        name=name,
        created_ms=created_ms,
        identity=identities.pop(),
        # A part that nobody has opened since is of an older one; who reads the newest reads them all.
        fold=max((report.fold for report in reports.values()), key=fold_rank),
        catalog=catalog,
        partitions={_partition(part): offset for part, offset in applied.items()},
    )


class _Collection:
    """Waits until every part is there."""

    def __init__(self, partial: Path, folder: StateFolder, parts: list[str], unanswered_seconds: float) -> None:
        self._partial = partial
        self._folder = folder
        self._parts = parts
        self._unanswered_seconds = unanswered_seconds
        self._owner = uuid.uuid4().hex

    async def run(self, advance: Advance) -> dict[str, Report]:
        began = time.monotonic()
        tried = None
        while True:
            done = self._done()
            advance(len(done))
            missing = [part for part in self._parts if part not in done]
            if not missing:
                return done
            now = time.monotonic()
            if tried is None or now - tried > TRY_SECONDS:
                tried = now
                for part in missing:
                    await self._try(part)
                continue
            silent = [part for part in missing if report_of(self._partial, part) is None]
            if silent and now - began > self._unanswered_seconds:
                raise SnapshotError(
                    f"{', '.join(silent)}: open in another process, which doesn't answer. Is it stopped, or of an "
                    "older release?"
                )
            await asyncio.sleep(LOOK_SECONDS)

    def _done(self) -> dict[str, Report]:
        done: dict[str, Report] = {}
        for part in self._parts:
            report = report_of(self._partial, part)
            if report is not None and report.error is not None:
                raise SnapshotError(report.error)
            if report is not None and report.done:
                done[part] = report
        return done

    async def _try(self, part: str) -> None:
        """Take a part that nobody owns; another's is left to its owner."""
        database = self._folder.catalog if part == self._folder.catalog.name else self._folder.root / part / "rocksdb"
        with suppress(StateLockedError), closing(KeyValue.open(database)) as kv:
            if not is_wanted(self._partial, part, self._owner):
                return
            identity, fold = kv.get(IDENTITY), kv.get(FOLD_VERSION_KEY)
            if identity is None or fold is None:
                raise SnapshotError(f"{database} is not a state of Headwater")
            if part == self._folder.catalog.name:
                opened = CatalogPart(self._folder, CatalogStore(kv))
            else:
                opened = PartitionPart(self._folder, _partition(part), PartitionState(kv))
            await contribute(opened, self._partial, self._owner, (identity.decode(), fold.decode()))

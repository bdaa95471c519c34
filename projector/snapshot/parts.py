"""The parts of a state folder, the catalog and each points partition, and how each is put aside in one go."""

from pathlib import Path
from typing import Protocol

import structlog

from projector.catalog.store import CatalogStore
from projector.folders import StateFolder
from projector.segments.errors import ManifestDamagedError
from projector.segments.manifest import MANIFEST_FILE, read_manifest
from projector.segments.shard_files import is_condemned
from projector.snapshot.files import link_or_copy
from projector.state.store import PartitionState

_logger = structlog.get_logger("headwater.snapshot")


class Part(Protocol):
    """One part of an open state folder, in the process that holds its LOCK."""

    @property
    def folder(self) -> Path:
        """Where it is in the state folder."""
        ...

    @property
    def applied(self) -> int:
        """Its applied offset now."""
        ...

    async def flush(self) -> None:
        """Put on disk what is in memory, off the loop, so that little is left to do for ``stage``."""
        ...

    def stage(self, into: Path) -> None:
        """Put the part as it is now into ``into``, which doesn't exist. On the loop: nothing changes meanwhile.

        Raises OSError, and StateDamagedError where RocksDB fails.
        """
        ...


class CatalogPart:
    """The catalog."""

    def __init__(self, folder: StateFolder, store: CatalogStore) -> None:
        self.folder = folder.catalog
        self._store = store

    @property
    def applied(self) -> int:
        """As ``Part.applied``."""
        return self._store.applied

    async def flush(self) -> None:
        """As ``Part.flush``."""
        await self._store.flush()

    def stage(self, into: Path) -> None:
        """As ``Part.stage``."""
        self._store.checkpoint(into)


class PartitionPart:
    """A points partition: its RocksDB, and what each shard's manifest names."""

    def __init__(self, folder: StateFolder, partition: int, state: PartitionState) -> None:
        self.folder = folder.partition(partition)
        self._folder = folder
        self._partition = partition
        self._state = state

    @property
    def applied(self) -> int:
        """As ``Part.applied``."""
        return self._state.applied

    async def flush(self) -> None:
        """As ``Part.flush``."""
        await self._state.flush()

    def stage(self, into: Path) -> None:
        """As ``Part.stage``."""
        into.mkdir()
        self._state.checkpoint(into / self._folder.rocksdb(self._partition).name)
        shards = into / self._folder.shards(self._partition).name
        shards.mkdir()
        for shard in self._state.shards():
            source = self._folder.shard(self._partition, shard)
            _stage_shard(source, shards / source.name)


def _stage_shard(source: Path, target: Path) -> None:
    # A manifest may be replaced right now, by a thread; but what any of them names is deleted on the loop only.
    data = _manifest_bytes(source)
    if data is None:
        return
    target.mkdir()
    (target / MANIFEST_FILE).write_bytes(data)
    try:
        manifest = read_manifest(target)
    except ManifestDamagedError:
        # Whoever starts from it rebuilds the shard's segments from the state, as here at the next start.
        return
    names = [entry.name for entry in manifest.segments] if manifest is not None else []
    for name in [name for name in names if (source / name).is_dir()]:
        if is_condemned(source / name):
            # Its absence has whoever starts from the snapshot rebuild the shard, as the mark has the next start here.
            _logger.warning("a damaged segment is left out of a snapshot", segment=str(source / name))
            continue
        (target / name).mkdir()
        for file in (source / name).iterdir():
            link_or_copy(file, target / name / file.name)


def _manifest_bytes(folder: Path) -> bytes | None:
    try:
        return (folder / MANIFEST_FILE).read_bytes()
    except FileNotFoundError:
        return None

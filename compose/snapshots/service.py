"""Making snapshots: one at a time in a process, written beside and put in place once whole."""

import asyncio
import contextlib
import tarfile
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from compose.snapshots.export import Exporter
from compose.snapshots.folder import SUFFIX, SnapshotDescription, SnapshotsRoot
from ingest.ports import Catalog, CollectionEntry
from query_api.ports import Readers
from schemas.errors import NotFoundError


class SnapshotMaker:
    """Makes snapshots of collections, shards, and everything."""

    def __init__(self, root: SnapshotsRoot, catalog: Catalog, readers: Readers, peer_id: int) -> None:
        self._root = root
        self._catalog = catalog
        self._exporter = Exporter(readers)
        self._peer_id = peer_id
        self._turn = asyncio.Lock()

    async def collection(self, entry: CollectionEntry) -> SnapshotDescription:
        """Make one of a collection. Raises NotFoundError, UnavailableError, OSError."""
        folder = self._root.collection(entry.name)
        async with self._temporary() as path:
            await self._exporter.write(path, entry)
            name = folder.free_name(f"{entry.name}-{self._peer_id}")
            return await asyncio.to_thread(folder.keep, path, name)

    async def shard(self, entry: CollectionEntry, shard: int) -> SnapshotDescription:
        """Make one of a shard, which there must be. Raises as ``collection``."""
        folder = self._root.shard(entry.name, shard)
        async with self._temporary() as path:
            await self._exporter.write(path, entry, shard)
            name = folder.free_name(f"{entry.name}-shard-{shard}")
            return await asyncio.to_thread(folder.keep, path, name)

    async def write_shard(self, entry: CollectionEntry, shard: int, path: Path) -> None:
        """Write a snapshot of a shard to ``path``. Raises as ``collection``."""
        async with self._turn:
            await self._exporter.write(path, entry, shard)

    async def full(self) -> SnapshotDescription:
        """Make one of all collections and aliases. Raises UnavailableError, OSError."""
        folder = self._root.full
        async with self._temporary() as path:
            aliases = msgspec.json.encode(dict(self._catalog.aliases()))
            with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar, self._root.temporary() as part:
                part.write_bytes(aliases)
                tar.add(part, "aliases.json")
                for entry in list(self._catalog.collections()):
                    # Whoever drops one in between has none of it.
                    with contextlib.suppress(NotFoundError):
                        await self._exporter.write(part, entry)
                        await asyncio.to_thread(tar.add, part, f"collections/{entry.name}{SUFFIX}")
            return await asyncio.to_thread(folder.keep, path, folder.free_name("full-snapshot"))

    @contextlib.asynccontextmanager
    async def _temporary(self) -> AsyncGenerator[Path]:
        async with self._turn:
            with self._root.temporary() as path:
                yield path

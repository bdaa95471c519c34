"""CatalogWriter: changes to collections and aliases onto the log, and waiting until they are visible."""

import contextlib
import secrets
from collections.abc import Mapping, Sequence

from ingest.deadline import Deadline
from ingest.http.offsets import CATALOG_PARTITION, Offset
from ingest.log import Log, Topic
from ingest.outcomes import raise_rejected
from ingest.ports import Catalog, CollectionEntry, Visibility
from ingest.writer import append, encode, within
from schemas.config import CollectionConfig, CollectionPatch, apply_patch, check_collection_count, check_collection_name
from schemas.errors import BadInputError, ConflictError, NotFoundError
from schemas.payload_index import PayloadIndex
from schemas.records import (
    AliasAction,
    CatalogRecord,
    ChangeAliases,
    CreateAlias,
    CreateCollection,
    CreateShardKey,
    CreateVectorName,
    DeleteAlias,
    DeleteCollection,
    DeleteShardKey,
    DeleteVectorName,
    DiscardCollection,
    PublishCollection,
    StageCollection,
    UpdateCollection,
)
from schemas.rest.shard_keys import ShardKey
from schemas.shard_keys import check_method, check_new_key, unknown_key
from schemas.vectors.names import add_name
from schemas.vectors.params import AnyVectorParams, SparseVectorParams, VectorParams

UID_BITS = 63


class CatalogWriter:
    """Writes to the catalog. Every method waits until its change is visible and raises what became of it.

    What the visible catalog already shows to be wrong is refused without a record; the fold decides the rest.
    Beside what they name, all raise UnavailableError, InsufficientStorageError, and TimedOutError when the change
    is accepted but not yet visible at the deadline.
    """

    def __init__(self, log: Log, catalog: Catalog, visibility: Visibility, max_collections: int | None = None) -> None:
        """No collection is created where there are ``max_collections``; None: however many there are."""
        self._max_collections = max_collections
        self._log = log
        self._catalog = catalog
        self._visibility = visibility

    async def create(self, name: str, config: CollectionConfig, deadline: Deadline) -> Offset:
        """Create a collection. Raises ConflictError, BadInputError, UnprocessableError."""
        check_collection_name(name)
        self._check_free(name)
        check_collection_count(name, [entry.name for entry in self._catalog.collections()], self._max_collections)
        uid = secrets.randbits(UID_BITS)
        record = CreateCollection(
            uid=uid,
            name=name,
            config=config,
            partitions=self._log.partitions(Topic.POINTS),
            max_collections=self._max_collections,
        )
        return await self._write(record, deadline)

    def _check_free(self, name: str) -> None:
        try:
            entry = self._catalog.resolve(name)
        except NotFoundError:
            return
        if entry.name == name:
            raise ConflictError(f"Wrong input: Collection `{name}` already exists!")
        raise BadInputError(
            f"Wrong input: Can't create collection with name {name}. Alias with the same name already exists"
        )

    async def update(self, name: str, patch: CollectionPatch, deadline: Deadline) -> Offset:
        """Change a collection's parameters. Raises NotFoundError, BadInputError, UnprocessableError."""
        apply_patch(self._catalog.resolve(name).config, patch)
        return await self._write(UpdateCollection(name=name, patch=patch), deadline)

    async def add_vector(self, name: str, vector: str, params: AnyVectorParams, deadline: Deadline) -> Offset:
        """Add a vector name to a collection. Raises NotFoundError, BadInputError, UnprocessableError."""
        add_name(self._catalog.resolve(name).config, vector, params)
        dense = params if isinstance(params, VectorParams) else None
        sparse = params if isinstance(params, SparseVectorParams) else None
        return await self._write(CreateVectorName(name=name, vector=vector, dense=dense, sparse=sparse), deadline)

    async def delete_vector(self, name: str, vector: str, deadline: Deadline) -> Offset:
        """Delete a vector name of a collection, if it has it. Raises NotFoundError."""
        self._catalog.resolve(name)
        return await self._write(DeleteVectorName(name=name, vector=vector), deadline)

    async def declare(self, name: str, changes: Mapping[str, PayloadIndex | None], deadline: Deadline) -> Offset:
        """Declare payload indexes, or remove those that are None. Raises as ``update`` does."""
        return await self.update(name, CollectionPatch(payload_indexes=dict(changes)), deadline)

    async def delete(self, name: str, deadline: Deadline) -> Offset | None:
        """Drop a collection; None when there is none of that name."""
        try:
            if self._catalog.resolve(name).name != name:
                return None
            return await self._write(DeleteCollection(name=name), deadline)
        except NotFoundError:
            return None

    async def create_shard_key(self, entry: CollectionEntry, key: ShardKey, shards: int, deadline: Deadline) -> Offset:
        """Give a collection, which may be staged, a shard key. Raises NotFoundError, BadInputError."""
        check_new_key(entry.config.sharding_method, key, [part.key for part in entry.keys], entry.name)
        record = CreateShardKey(
            uid=secrets.randbits(UID_BITS),
            name=entry.name,
            key=key,
            shards=shards,
            partitions=self._log.partitions(Topic.POINTS),
        )
        return await self._write(record, deadline)

    async def delete_shard_key(self, entry: CollectionEntry, key: ShardKey, deadline: Deadline) -> Offset:
        """Drop a shard key with all its points. Raises NotFoundError, BadInputError."""
        check_method(entry.config.sharding_method)
        if all(part.key != key for part in entry.keys):
            raise unknown_key(key, entry.name)
        return await self._write(DeleteShardKey(name=entry.name, key=key), deadline)

    async def stage(self, name: str, config: CollectionConfig, deadline: Deadline) -> CollectionEntry:
        """A new collection that nobody sees until it is published as ``name``; one staged before is dropped.

        Raises ConflictError for the name of an alias, BadInputError, UnprocessableError, NotFoundError when another
        request staged one at the same time.
        """
        check_collection_name(name)
        uid = secrets.randbits(UID_BITS)
        partitions = self._log.partitions(Topic.POINTS)
        await self._write(StageCollection(uid=uid, name=name, config=config, partitions=partitions), deadline)
        staged = self._catalog.staged(name)
        if staged is None or staged.uid != uid:
            raise NotFoundError(f"Not found: collection `{name}` is dropped, or being replaced by another request")
        return staged

    async def publish(self, name: str, uid: int, deadline: Deadline) -> None:
        """Let the staged collection ``uid`` take the name ``name``, and drop the one that had it.

        Raises NotFoundError when it is no longer staged, ConflictError for the name of an alias.
        """
        with contextlib.suppress(NotFoundError):
            replaced = self._catalog.resolve(name)
            await self._write(PublishCollection(uid=uid, name=name), deadline)
            await self.discard(name, replaced.uid, deadline)
            return
        await self._write(PublishCollection(uid=uid, name=name), deadline)

    async def discard(self, name: str, uid: int, deadline: Deadline) -> None:
        """Drop the staged collection ``uid``, if it is there."""
        with contextlib.suppress(NotFoundError):
            await self._write(DiscardCollection(uid=uid, name=name), deadline)

    async def change_aliases(self, actions: Sequence[AliasAction], deadline: Deadline) -> Offset:
        """Apply alias actions, all or none. Raises NotFoundError, ConflictError, UnprocessableError."""
        for action in actions:
            if not isinstance(action, DeleteAlias):
                check_collection_name(action.alias if isinstance(action, CreateAlias) else action.new)
        return await self._write(ChangeAliases(actions=list(actions)), deadline)

    async def _write(self, record: CatalogRecord, deadline: Deadline) -> Offset:
        self._visibility.check_applied(Topic.CATALOG, 0)
        offset = await within(deadline, append(self._log, Topic.CATALOG, 0, encode(record)))
        raise_rejected(await self._visibility.wait(Topic.CATALOG, 0, offset, deadline))
        return CATALOG_PARTITION, offset

"""Routes that list and describe collections and aliases."""

from collections.abc import Iterable, Mapping

import msgspec
import xxhash

from ingest.http.endpoint import Call, Endpoint, Reply
from ingest.ports import Catalog
from query_api.freshness import Freshness
from query_api.ports import CollectionCounts, Readers
from query_api.reading import Reader, Reading
from schemas.config import CollectionConfig
from schemas.errors import NotFoundError
from schemas.filters import FieldCondition, Filter, IsOfType
from schemas.json_path import parse_path
from schemas.payload_index import PayloadIndex
from schemas.rest.collection_info import CollectionInfo, OptimizerError, UpdateQueue, render_config
from schemas.rest.responses import (
    AliasDescription,
    AliasesResult,
    CollectionClusterInfo,
    CollectionDescription,
    CollectionsResult,
    ExistsResult,
    LocalShardInfo,
)

TAG = "Collections"
_PATH = "/collections/{collection_name}"


def peer_id(identity: str) -> int:
    """The id of the one peer that Qdrant's clients know, of 53 bits; ``identity`` is the log's."""
    return xxhash.xxh64_intdigest(identity.encode()) >> 11


class CollectionReadRoutes:
    """The routes that read the catalog."""

    def __init__(self, catalog: Catalog, readers: Readers, freshness: Freshness, reader: Reader, identity: str) -> None:
        """``identity`` is the log's: the one peer that Qdrant's clients know is named after it."""
        self._peer_id = peer_id(identity)
        self._catalog = catalog
        self._readers = readers
        self._freshness = freshness
        self._reader = reader

    def endpoints(self) -> list[Endpoint]:
        """List, info, exists, aliases."""
        return [
            Endpoint("GET", "/collections", self._list, "List collections", TAG, result=CollectionsResult),
            Endpoint("GET", _PATH, self._info, "Collection details", TAG, result=CollectionInfo),
            Endpoint("GET", f"{_PATH}/exists", self._exists, "Check collection existence", TAG, result=ExistsResult),
            Endpoint(
                "GET",
                f"{_PATH}/cluster",
                self._cluster,
                "Collection cluster info",
                "Distributed",
                result=CollectionClusterInfo,
            ),
            Endpoint(
                "GET",
                f"{_PATH}/aliases",
                self._aliases_of,
                "List aliases of a collection",
                "Aliases",
                result=AliasesResult,
            ),
            Endpoint("GET", "/aliases", self._aliases, "List aliases", "Aliases", result=AliasesResult),
        ]

    async def _list(self, call: Call) -> Reply:
        await self._freshness.reach(call)
        return Reply(CollectionsResult([CollectionDescription(c.name) for c in self._catalog.collections()]))

    async def _info(self, call: Call) -> Reply:
        await self._freshness.reach(call)
        entry = self._catalog.resolve(call.collection)
        counts = await self._readers.counts(entry)
        points = await _indexed_points(await self._reader.describe(call)) if entry.config.payload_indexes else {}
        return Reply(_info(entry.config, counts, points))

    async def _cluster(self, call: Call) -> Reply:
        await self._freshness.reach(call)
        entry = self._catalog.resolve(call.collection)
        shards = [
            LocalShardInfo(number, shard.points, shard_key=msgspec.UNSET if key is None else key)
            for (number, key), shard in zip(entry.numbers, self._readers.shards(entry), strict=True)
        ]
        return Reply(CollectionClusterInfo(self._peer_id, len(shards), shards))

    async def _exists(self, call: Call) -> Reply:
        await self._freshness.reach(call)
        try:
            self._catalog.resolve(call.collection)
        except NotFoundError:
            return Reply(ExistsResult(False))
        return Reply(ExistsResult(True))

    async def _aliases(self, call: Call) -> Reply:
        await self._freshness.reach(call)
        return Reply(_aliases(self._catalog.aliases().items()))

    async def _aliases_of(self, call: Call) -> Reply:
        await self._freshness.reach(call)
        # An alias has none, nor has what isn't there, as in Qdrant.
        return Reply(_aliases((a, c) for a, c in self._catalog.aliases().items() if c == call.collection))


def _aliases(pairs: Iterable[tuple[str, str]]) -> AliasesResult:
    return AliasesResult([AliasDescription(alias, collection) for alias, collection in sorted(pairs)])


async def _indexed_points(reading: Reading) -> dict[str, int]:
    """For each payload index, how many points have a value of its type."""
    indexes = reading.config.payload_indexes
    return {name: await reading.shards.count(_of_type(name, index)) for name, index in indexes.items()}


def _of_type(name: str, index: PayloadIndex) -> Filter:
    return Filter(must=(FieldCondition(parse_path(name), (IsOfType(index.data_type),)),))


def _info(config: CollectionConfig, counts: CollectionCounts, points: Mapping[str, int]) -> CollectionInfo:
    error = counts.optimizer_error
    return CollectionInfo(
        status=counts.status,
        optimizer_status="ok" if error is None else OptimizerError(error),
        indexed_vectors_count=counts.indexed_vectors,
        points_count=counts.points,
        segments_count=counts.segments,
        config=render_config(config),
        payload_schema={
            name: {**index.shown(), "points": points.get(name, 0)} for name, index in config.payload_indexes.items()
        },
        update_queue=UpdateQueue(counts.queued),
    )

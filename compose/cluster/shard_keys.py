"""Shard keys: listed anywhere, made and dropped where clustering is on."""

import msgspec

from ingest.catalog_writer import CatalogWriter
from ingest.deadline import Deadline
from ingest.http.endpoint import Call, Endpoint, Reply
from ingest.http.limits import Limits
from ingest.ports import Catalog, CollectionEntry
from schemas.config import CUSTOM_SHARDING
from schemas.errors import BadInputError
from schemas.rest.decode import decode_body
from schemas.rest.shard_keys import CreateShardKeyRequest, DropShardKeyRequest, ShardKeyDescription, ShardKeysResult

TAG = "Distributed"
PATH = "/collections/{collection_name}/shards"
_decode_create = msgspec.json.Decoder(CreateShardKeyRequest)
_decode_drop = msgspec.json.Decoder(DropShardKeyRequest)


class ShardKeyRoutes:
    """The routes of shard keys."""

    def __init__(self, catalog: Catalog, writer: CatalogWriter, limits: Limits, peer_id: int) -> None:
        self._catalog = catalog
        self._writer = writer
        self._limits = limits
        self._peer_id = peer_id

    def listing(self) -> Endpoint:
        """The route that lists them."""
        return Endpoint("GET", PATH, self._list, "List shard keys", TAG, result=ShardKeysResult)

    def changing(self) -> list[Endpoint]:
        """The routes that make and drop them."""
        return [
            Endpoint(
                "PUT",
                PATH,
                self._create,
                "Create shard key",
                TAG,
                result=bool,
                body=CreateShardKeyRequest,
                timeout=True,
            ),
            Endpoint(
                "POST",
                f"{PATH}/delete",
                self._drop,
                "Delete shard key",
                TAG,
                result=bool,
                body=DropShardKeyRequest,
                timeout=True,
            ),
        ]

    async def create(self, entry: CollectionEntry, request: CreateShardKeyRequest, deadline: Deadline) -> None:
        """Make a shard key. Raises BadInputError, NotFoundError."""
        for peer in request.placement or ():
            if peer != self._peer_id:
                raise BadInputError(f"Bad request: Peer {peer} does not exist")
        shards = request.shards_number or entry.config.shard_number
        await self._writer.create_shard_key(entry, request.shard_key, shards, deadline)

    async def drop(self, entry: CollectionEntry, request: DropShardKeyRequest, deadline: Deadline) -> None:
        """Drop a shard key. Raises BadInputError, NotFoundError."""
        await self._writer.delete_shard_key(entry, request.shard_key, deadline)

    async def _list(self, call: Call) -> Reply:
        entry = self._catalog.resolve(call.collection)
        if entry.config.sharding_method != CUSTOM_SHARDING:
            return Reply(ShardKeysResult())
        return Reply(ShardKeysResult([ShardKeyDescription(part.key) for part in entry.keys if part.key is not None]))

    async def _create(self, call: Call) -> Reply:
        request = decode_body(_decode_create, call.body)
        await self.create(self._catalog.resolve(call.collection), request, self._deadline(call))
        return Reply(True)

    async def _drop(self, call: Call) -> Reply:
        request = decode_body(_decode_drop, call.body)
        await self.drop(self._catalog.resolve(call.collection), request, self._deadline(call))
        return Reply(True)

    def _deadline(self, call: Call) -> Deadline:
        return call.deadline(self._limits)

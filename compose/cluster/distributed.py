"""The routes where clustering is on: a cluster of one peer, which has every shard and nobody to move it to."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec

from compose.cluster.shard_keys import TAG, ShardKeyRoutes
from ingest.deadline import Deadline
from ingest.http.endpoint import Call, Endpoint, Reply
from ingest.http.limits import Limits
from ingest.http.query import Parameters, read_count, read_flag
from ingest.ports import Catalog, CollectionEntry
from schemas.errors import BadInputError, NotFoundError, UnprocessableError
from schemas.rest.cluster import (
    ClusterOperation,
    ClusterStatus,
    ConsensusStatus,
    DistributedCluster,
    DistributedTelemetry,
    PeerInfo,
    RaftInfo,
    Replica,
    Transfer,
)
from schemas.rest.decode import decode_body

_decode_operation = msgspec.json.Decoder(ClusterOperation)
_REMOVES: Parameters = MappingProxyType({"force": read_flag, "timeout": read_count})
_TELEMETRY: Parameters = MappingProxyType({"details_level": read_count, "timeout": read_count})

Change = Callable[[CollectionEntry, Any, Deadline], Awaitable[None]]


class DistributedRoutes:
    """The routes about the cluster."""

    def __init__(self, catalog: Catalog, keys: ShardKeyRoutes, limits: Limits, peer_id: int) -> None:
        self._catalog = catalog
        self._limits = limits
        self._peer_id = peer_id
        self._started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._changes: dict[str, Change] = {
            "move_shard": self._transfer,
            "replicate_shard": self._transfer,
            "abort_transfer": self._no_transfer,
            "restart_transfer": self._no_transfer,
            "drop_replica": self._drop_replica,
            "create_sharding_key": keys.create,
            "drop_sharding_key": keys.drop,
        }

    def endpoints(self) -> list[Endpoint]:
        """The routes."""
        return [
            Endpoint("GET", "/cluster", self._status, "Cluster status", TAG, result=ClusterStatus),
            Endpoint("POST", "/cluster/recover", self._recover, "Recover the current peer", TAG, result=bool),
            Endpoint(
                "DELETE",
                "/cluster/peer/{peer_id}",
                self._remove,
                "Remove a peer",
                TAG,
                result=bool,
                parameters=_REMOVES,
            ),
            Endpoint(
                "GET",
                "/cluster/telemetry",
                self._telemetry,
                "Telemetry of the whole cluster",
                TAG,
                result=DistributedTelemetry,
                parameters=_TELEMETRY,
            ),
            Endpoint(
                "POST",
                "/collections/{collection_name}/cluster",
                self._change,
                "Update the cluster setup of a collection",
                TAG,
                result=bool,
                body=ClusterOperation,
                timeout=True,
            ),
        ]

    async def _status(self, call: Call) -> Reply:
        host = next((value.decode("latin-1") for name, value in call.headers if name == b"host"), "localhost")
        return Reply(
            ClusterStatus(
                "enabled",
                self._peer_id,
                {str(self._peer_id): PeerInfo(f"http://{host}/")},
                RaftInfo(1, 1, 0, self._peer_id, "Leader", True),
                ConsensusStatus("working", self._started),
                {},
            )
        )

    async def _recover(self, _: Call) -> Reply:
        return Reply(True)

    async def _remove(self, call: Call) -> Reply:
        text = call.path["peer_id"]
        if not (text.isascii() and text.isdigit() and len(text) <= 20):
            raise BadInputError(f'Deserialize error in path parameters: can not parse "{text}" to a u64')
        if int(text) == self._peer_id and self._catalog.collections():
            raise BadInputError(f"Bad request: Cannot remove peer {text} as there are shards on it")
        return Reply(True)

    async def _telemetry(self, _: Call) -> Reply:
        names = {entry.name: {"id": entry.name} for entry in self._catalog.collections()}
        return Reply(DistributedTelemetry(names, DistributedCluster(True, 1, {})))

    async def _change(self, call: Call) -> Reply:
        operation, asked = decode_body(_decode_operation, call.body).the_one()
        _check_two_peers(operation, asked)
        entry = self._catalog.resolve(call.collection)
        change = self._changes.get(operation)
        if change is None:
            raise BadInputError(f"Bad request: {operation}: there is one peer, and shards keep their number")
        await change(entry, asked, call.deadline(self._limits))
        return Reply(True)

    async def _transfer(self, entry: CollectionEntry, asked: Transfer, _: Deadline) -> None:
        _check_shard(entry, asked.shard_id)
        for peer in (asked.from_peer_id, asked.to_peer_id):
            if peer != self._peer_id:
                raise BadInputError(f"Bad request: Peer {peer} does not exist")

    async def _no_transfer(self, entry: CollectionEntry, asked: Transfer, _: Deadline) -> None:
        raise NotFoundError(
            f"Not found: Shard transfer {asked.from_peer_id} -> {asked.to_peer_id} for collection "
            f"{entry.name}:{asked.shard_id} does not exist"
        )

    async def _drop_replica(self, entry: CollectionEntry, asked: Replica, _: Deadline) -> None:
        _check_shard(entry, asked.shard_id)
        if asked.peer_id != self._peer_id:
            raise BadInputError(f"Bad request: Peer {asked.peer_id} does not exist")
        raise BadInputError(
            f"Bad request: Shard {asked.shard_id} must have at least one active replica after removing {asked.peer_id}"
        )


def _check_shard(entry: CollectionEntry, shard: int) -> None:
    if entry.shard(shard) is None:
        raise BadInputError(f"Bad request: Shard {shard} of {entry.name} does not exist")


def _check_two_peers(operation: str, asked: object) -> None:
    if isinstance(asked, Transfer) and asked.from_peer_id == asked.to_peer_id:
        raise UnprocessableError(
            f"Validation error in JSON body: [{operation}.to_peer_id: cannot transfer shard to itself, "
            f'"to_peer_id" must be different than {asked.from_peer_id} in "from_peer_id"]'
        )

"""Bodies of requests that change a cluster of Qdrant's kind, and what is answered about it."""

from typing import Annotated, Any, Literal

import msgspec

from schemas.errors import BadInputError
from schemas.rest.points import JsonFilter
from schemas.rest.shard_keys import CreateShardKeyRequest, DropShardKeyRequest, ShardKey

PeerId = Annotated[int, msgspec.Meta(ge=0)]
ShardNumber = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
_NO_VARIANT = "Format error in JSON body: data did not match any variant of untagged enum ClusterOperations"
Method = Literal["stream_records", "snapshot", "wal_delta", "resharding_stream_records"]


class Transfer(msgspec.Struct):
    """A shard that goes from one peer to another."""

    shard_id: ShardNumber
    from_peer_id: PeerId
    to_peer_id: PeerId
    method: Method | None = None


class Replica(msgspec.Struct):
    """A shard on a peer."""

    shard_id: ShardNumber
    peer_id: PeerId


class Resharding(msgspec.Struct):
    """More shards, or fewer."""

    direction: Literal["up", "down"]
    peer_id: PeerId | None = None
    shard_key: ShardKey | None = None


class ReplicatePoints(msgspec.Struct):
    """Points that are copied from one key to another."""

    from_shard_key: ShardKey
    to_shard_key: ShardKey
    filter: JsonFilter | None = None


class ClusterOperation(msgspec.Struct, omit_defaults=True):
    """One change of a collection's place in the cluster."""

    move_shard: Transfer | None = None
    replicate_shard: Transfer | None = None
    abort_transfer: Transfer | None = None
    restart_transfer: Transfer | None = None
    drop_replica: Replica | None = None
    create_sharding_key: CreateShardKeyRequest | None = None
    drop_sharding_key: DropShardKeyRequest | None = None
    start_resharding: Resharding | None = None
    abort_resharding: dict[str, Any] | None = None
    replicate_points: ReplicatePoints | None = None

    def the_one(self) -> tuple[str, Any]:
        """The operation's name and what it says. Raises BadInputError where there is none."""
        for name in self.__struct_fields__:
            if (asked := getattr(self, name)) is not None:
                return name, asked
        raise BadInputError(_NO_VARIANT)


class PeerInfo(msgspec.Struct):
    """Where a peer is."""

    uri: str


class RaftInfo(msgspec.Struct):
    """What a cluster of one has agreed on."""

    term: int
    commit: int
    pending_operations: int
    leader: int
    role: str
    is_voter: bool


class ConsensusStatus(msgspec.Struct):
    """Whether peers can agree: one always does."""

    consensus_thread_status: str
    last_update: str


class ClusterStatus(msgspec.Struct):
    """A cluster of one peer."""

    status: str
    peer_id: int
    peers: dict[str, PeerInfo]
    raft_info: RaftInfo
    consensus_thread_status: ConsensusStatus
    message_send_failures: dict[str, Any]


class DistributedCluster(msgspec.Struct):
    """The peers, as telemetry has them."""

    enabled: bool
    number_of_peers: int
    peers: dict[str, Any]


class DistributedTelemetry(msgspec.Struct):
    """What the whole cluster tells of itself."""

    collections: dict[str, Any]
    cluster: DistributedCluster

"""The routes where clustering is off: what is for a cluster is refused."""

import msgspec

from ingest.http.endpoint import Call, Endpoint, Reply
from schemas.errors import HeadwaterError

TAG = "Distributed"
_REFUSED = (
    ("POST", "/cluster/recover", "Recover the current peer"),
    ("DELETE", "/cluster/peer/{peer_id}", "Remove a peer"),
    ("GET", "/cluster/telemetry", "Telemetry of the whole cluster"),
    ("POST", "/collections/{collection_name}/cluster", "Update the cluster setup of a collection"),
    ("PUT", "/collections/{collection_name}/shards", "Create a shard key"),
    ("POST", "/collections/{collection_name}/shards/delete", "Delete a shard key"),
)


class StandaloneError(HeadwaterError):
    """The request is for a cluster of Qdrant's kind, and this is none."""

    status = 405


class ClusterStatus(msgspec.Struct):
    """Clustering is disabled."""

    status: str


def endpoints() -> list[Endpoint]:
    """The routes that are answered otherwise where clustering is on."""
    return [
        Endpoint("GET", "/cluster", _status, "Cluster status", TAG, result=ClusterStatus),
        *(Endpoint(method, path, _refuse, summary, TAG, result=bool) for method, path, summary in _REFUSED),
    ]


async def _status(_: Call) -> Reply:
    return Reply(ClusterStatus("disabled"))


async def _refuse(_: Call) -> Reply:
    raise StandaloneError("Qdrant is running in standalone mode")

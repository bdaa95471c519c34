"""What a state folder holds, of which no projector has the lock."""

from pathlib import Path

from ingest.kafka import KafkaLog
from projector.folders import StateFolder
from projector.state.digest import ShardDigest, digest_shard
from projector.state.store import PartitionState
from tests.support.topics import Topics


def digests(topics: Topics, data: Path) -> list[ShardDigest]:
    """Of every shard, by collection and number."""
    folder = StateFolder(data / "state")
    identity = topics.with_log(_identity)
    found: list[ShardDigest] = []
    for partition in sorted(topics.points_ends()):
        state = PartitionState.open(folder.rocksdb(partition), identity, read_only=True)
        try:
            found += [digest_shard(state, shard) for shard in state.shards()]
        finally:
            state.close()
    return sorted(found, key=lambda digest: (digest.name, digest.shard))


async def _identity(log: KafkaLog) -> str:
    return log.identity

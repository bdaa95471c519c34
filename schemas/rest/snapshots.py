"""Bodies of requests about snapshots."""

from enum import StrEnum

import msgspec


class SnapshotPriority(StrEnum):
    """Which copy of a shard is right where replicas differ: there is one copy here."""

    NO_SYNC = "no_sync"
    SNAPSHOT = "snapshot"
    REPLICA = "replica"


class SnapshotRecover(msgspec.Struct):
    """Where a snapshot is (an http or https URL, or file: in the server's folder for snapshots), and its SHA-256.

    ``api_key`` is sent to who has it.
    """

    location: str
    priority: SnapshotPriority | None = None
    checksum: str | None = None
    api_key: str | None = None


class ShardSnapshotRecover(msgspec.Struct):
    """As ``SnapshotRecover``; ``location`` may be the name of a snapshot of the shard."""

    location: str
    priority: SnapshotPriority | None = None
    checksum: str | None = None
    api_key: str | None = None

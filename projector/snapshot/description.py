"""snapshot.json: of which log a snapshot is, and how far it stands."""

from pathlib import Path

import msgspec

from ingest.disk import replace_file
from ingest.log import Topic
from projector.snapshot.errors import SnapshotError

SNAPSHOT_FILE = "snapshot.json"
SNAPSHOT_VERSION = 1


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What snapshot.json says.

    ``created_ms``: when it was begun, in milliseconds since 1970. ``identity``: the log's. ``fold``: the version of
    the fold. ``catalog``: the applied offset of the catalog, None when the snapshot has no catalog. ``partitions``:
    points partition -> applied offset.
    """

    name: str
    created_ms: int
    identity: str
    fold: str
    catalog: int | None
    partitions: dict[int, int]
    version: int = SNAPSHOT_VERSION

    def reaches(self, topic: Topic, partition: int, offset: int) -> bool:
        """Whether the snapshot has a state of the partition that has applied ``offset``."""
        applied = self.catalog if topic is Topic.CATALOG else self.partitions.get(partition)
        return applied is not None and applied >= offset


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Description)


class _Version(msgspec.Struct):
    version: int = 0


_version_decoder = msgspec.json.Decoder(_Version)


def write_description(folder: Path, description: Description) -> None:
    """Put snapshot.json into a snapshot's folder, durably. Raises OSError."""
    replace_file(folder / SNAPSHOT_FILE, msgspec.json.format(_encode(description), indent=2) + b"\n")


def read_description(folder: Path) -> Description:
    """What a snapshot's folder says of itself. Raises SnapshotError."""
    path = folder / SNAPSHOT_FILE
    try:
        data = path.read_bytes()
        version = _version_decoder.decode(data).version
        if version > SNAPSHOT_VERSION:
            raise SnapshotError(f"{path} has version {version}; this release reads versions up to {SNAPSHOT_VERSION}")
        return _decoder.decode(data)
    except FileNotFoundError:
        raise SnapshotError(f"{folder} is not a snapshot: it has no {SNAPSHOT_FILE}") from None
    except (OSError, msgspec.DecodeError) as error:
        raise SnapshotError(f"{path} can't be read: {error}") from error

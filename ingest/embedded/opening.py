"""Opening or creating the folder of a log."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from ingest.disk import Disk
from ingest.embedded.errors import PartitionsError
from ingest.embedded.identity_file import NAME as IDENTITY_NAME
from ingest.embedded.identity_file import Identity, read_identity, write_identity
from ingest.embedded.partition_folder import (
    OpenedPartition,
    create_partition,
    open_to_read,
    open_to_write,
)
from ingest.log import LogDamagedError, LogUnavailableError, Topic

Key = tuple[Topic, int]


@dataclass(frozen=True, slots=True)
class OpenedLog:
    """The identity of a log and its partitions, each checked."""

    identity: Identity
    partitions: dict[Key, OpenedPartition]


def prepare_to_write(disk: Disk, folder: Path, partitions: int | None) -> OpenedLog:
    """Open the log in ``folder``, which is locked, or create it, with ``partitions`` for points (None: as it has).

    Raises LogDamagedError, PartitionsError, OSError.
    """
    identity = read_identity(folder)
    if identity is None:
        _refuse_lost_identity(folder)
        # Written before there is anything to identify, with no partitions: so an interrupted creation goes on, and
        # a folder with partitions and without this file is known to have lost it.
        identity = Identity(uuid.uuid4())
        write_identity(disk, folder, identity)
    identity = _grow(disk, folder, identity, partitions)
    return OpenedLog(
        identity,
        {key: open_to_write(disk, _folder_of(folder, key), identity.uuid) for key in _keys(identity)},
    )


def prepare_to_read(folder: Path) -> OpenedLog:
    """Open the log in ``folder`` without changing anything. Raises LogDamagedError, LogUnavailableError, OSError."""
    identity = read_identity(folder)
    if identity is None:
        if folder.is_dir():
            _refuse_lost_identity(folder)
        raise LogUnavailableError(f"there is no log in {folder}")
    return OpenedLog(identity, {key: open_to_read(_folder_of(folder, key), identity.uuid) for key in _keys(identity)})


def _grow(disk: Disk, folder: Path, identity: Identity, partitions: int | None) -> Identity:
    """Create the partitions that are missing. They count as created once the identity file says so."""
    created = identity.partitions[Topic.POINTS]
    points = created or 1 if partitions is None else partitions
    if points < 1:
        raise PartitionsError(f"a log needs at least one partition, not {points}")
    if points < created:
        raise PartitionsError(
            f"the log in {folder} has {created} partitions of points, and {points} were asked for: "
            "their number may grow, never shrink"
        )
    wanted = {Topic.CATALOG: 1, Topic.POINTS: points, Topic.REJECTED: 1}
    if wanted == identity.partitions:
        return identity
    for topic, count in wanted.items():
        for partition in range(identity.partitions[topic], count):
            create_partition(disk, _folder_of(folder, (topic, partition)), identity.uuid)
    grown = Identity(identity.uuid, wanted)
    write_identity(disk, folder, grown)
    return grown


def _keys(identity: Identity) -> list[Key]:
    return [(topic, partition) for topic in Topic for partition in range(identity.partitions[topic])]


def _folder_of(folder: Path, key: Key) -> Path:
    return folder / f"{key[0]}-{key[1]}"


def _refuse_lost_identity(folder: Path) -> None:
    for topic in Topic:
        for path in folder.glob(f"{topic}-*"):
            raise LogDamagedError(f"{folder / IDENTITY_NAME} is missing, and {path} exists; put it back from a copy")

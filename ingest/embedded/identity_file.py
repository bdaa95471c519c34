"""The identity file: which log a folder holds, in which format, and how many partitions are complete."""

import uuid
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ingest.disk import Disk, replace_file
from ingest.embedded.errors import damaged, newer
from ingest.log import Topic

NAME = "identity.json"
FORMAT = "headwater-log"
VERSION = 1


class _Start(msgspec.Struct):
    """What every version of the file has."""

    format: str
    version: int


class _Contents(msgspec.Struct):
    format: str
    version: int
    identity: uuid.UUID
    partitions: dict[Topic, int]


@dataclass(frozen=True, slots=True)
class Identity:
    """``partitions`` counts, per topic, the partition folders that were created completely."""

    uuid: uuid.UUID
    partitions: dict[Topic, int] = field(default_factory=lambda: dict.fromkeys(Topic, 0))


_start_decoder = msgspec.json.Decoder(_Start)
_contents_decoder = msgspec.json.Decoder(_Contents)


def read_identity(folder: Path) -> Identity | None:
    """The identity of the log in ``folder``, None if there is none. Raises LogDamagedError, LogVersionError."""
    path = folder / NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        start = _start_decoder.decode(data)
        if start.format != FORMAT:
            raise damaged(path, 0, f"its format is {start.format!r} and not {FORMAT!r}")
        if start.version > VERSION:
            raise newer(path, start.version, VERSION)
        contents = _contents_decoder.decode(data)
    except msgspec.DecodeError as error:
        raise damaged(path, 0, str(error)) from error
    return Identity(contents.identity, dict.fromkeys(Topic, 0) | contents.partitions)


def write_identity(disk: Disk, folder: Path, identity: Identity) -> None:
    """Replace the identity file, atomically and durably."""
    contents = _Contents(FORMAT, VERSION, identity.uuid, identity.partitions)
    data = msgspec.json.format(msgspec.json.encode(contents)) + b"\n"
    replace_file(folder / NAME, data, disk, suffix=".new")

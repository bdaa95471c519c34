"""The kinds of files in a data folder."""

import os
from pathlib import Path

KINDS = {
    "tables": ("state/**/*.sst",),
    "write-ahead logs": ("state/**/rocksdb/*.log",),
    "manifests of states": ("state/**/MANIFEST-*",),
    "small files of states": (
        "state/**/CURRENT",
        "state/**/OPTIONS-*",
        "state/**/IDENTITY",
        "state/**/rocksdict-config.json",
    ),
    "segments": ("state/**/shards/*/*/segment.flat",),
    "feeds": ("state/**/feed/*", "state/catalog-feed/*"),
    "graphs": ("state/**/graph.*",),
    "manifests of segments": ("state/**/shards/*/manifest",),
    "log": ("log/*/*.log",),
    "identity of the log": ("log/identity.json",),
}
"""Kind -> which files it is, within the data folder."""
STATE_KINDS = ("tables", "write-ahead logs", "manifests of states", "small files of states")
EMBEDDED_KINDS = tuple(kind for kind in KINDS if kind != "feeds")
"""What there is without readers in other processes."""
MAPPED = ("segments", "graphs")
"""What is mapped into memory while a server runs."""
ONLY_COPY = ("log", "identity of the log")
"""What can't be made again from anything else."""


def files_of(data: Path, kind: str) -> list[Path]:
    """The files of a kind that have anything in them, in a fixed order."""
    while True:
        try:
            found = [path for pattern in KINDS[kind] for path in data.glob(pattern)]
        except FileNotFoundError:
            # A running server makes folders and renames them: one went while it was looked through.
            continue
        return sorted(path for path in found if path.is_file() and has_anything(path))


def written_size(path: Path) -> int:
    """The size of a file of the log without the room for more that a process that was killed left."""
    return len(path.read_bytes().rstrip(b"\0"))


def cut_room(path: Path) -> None:
    """Leave out that room."""
    os.truncate(path, written_size(path))


def has_anything(path: Path) -> bool:
    """Whether a file isn't empty, nor gone."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False

"""``headwater snapshot``: copies of the state to start from, and to truncate the log by."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from compose.command_line import Commands, argument, option
from compose.commands.options import Data, make_settings
from compose.console import Json, plain_console, print_json, whole_table
from compose.errors import UserError
from compose.progress import progress
from compose.settings import DataFolder

if TYPE_CHECKING:
    from projector.snapshot import Snapshot, SnapshotsFolder

app = Commands("Copies of the state at an offset, to start from anywhere.")
Name = Annotated[str, argument(help="The snapshot's name.")]


@app.declared("create")
def create(
    name: Annotated[str | None, option(help="Its name (default: the time, in UTC).")] = None, data: Data = None
) -> None:
    """Make a snapshot in DATA/snapshots. What runs on the state goes on; nothing needs to run."""
    folder = DataFolder(make_settings(data=data).data)
    from projector.folders import StateFolder
    from projector.snapshot.create import create as create_snapshot

    chosen = name or f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    with progress("partitions and catalog copied", None) as advance:
        snapshot = asyncio.run(create_snapshot(_snapshots(folder), StateFolder(folder.state), chosen, advance))
    plain_console().print(f"made the snapshot {snapshot.name}: {snapshot.folder}", highlight=False, soft_wrap=True)


@app.declared("list")
def list_snapshots(as_json: Json = False, data: Data = None) -> None:
    """Show the complete snapshots, oldest first."""
    folder = DataFolder(make_settings(data=data).data)
    from projector.snapshot.files import tree_bytes

    complete = _snapshots(folder).complete()
    if as_json:
        print_json([_facts(snapshot, tree_bytes(snapshot.folder)) for snapshot in complete])
        return
    from rich.filesize import decimal

    table = whole_table("name", "made", "size", "applied offsets", "log")
    for snapshot in complete:
        description = snapshot.description
        made = _made(snapshot)
        size = decimal(tree_bytes(snapshot.folder))
        applied = ", ".join(f"{part} {offset}" for part, offset in _applied(snapshot).items())
        table.add_row(snapshot.name, f"{made:%Y-%m-%d %H:%M:%S} UTC", size, applied, description.identity)
    plain_console().print(table)


@app.declared("delete")
def delete(name: Name, data: Data = None) -> None:
    """Delete a snapshot."""
    snapshots = _snapshots(DataFolder(make_settings(data=data).data))
    with snapshots.lock():
        snapshots.delete(name)
    plain_console().print(f"deleted the snapshot {name}")


@app.declared("restore")
def restore(
    name: Annotated[str, argument(help="The snapshot's name, or the folder of a copy of one.")],
    into: Annotated[Path | None, option(help="A new state folder (default DATA/state).")] = None,
    data: Data = None,
) -> None:
    """Make a state folder from a snapshot. What starts on it goes on from the log."""
    folder = DataFolder(make_settings(data=data).data)
    from projector.snapshot.restore import restore as restore_snapshot

    target = into or folder.state
    restore_snapshot(_find(_snapshots(folder), name), target)
    plain_console().print(f"restored {name} in {target}", highlight=False, soft_wrap=True)


def _snapshots(folder: DataFolder) -> "SnapshotsFolder":
    from projector.snapshot import SnapshotsFolder

    return SnapshotsFolder(folder.snapshots)


def _find(snapshots: "SnapshotsFolder", name: str) -> "Snapshot":
    if "/" not in name:
        return snapshots.find(name)
    from projector.snapshot import Snapshot
    from projector.snapshot.description import read_description

    path = Path(name)
    if not path.is_dir():
        raise UserError(f"there is no folder {path}")
    return Snapshot(path, read_description(path))


def _made(snapshot: "Snapshot") -> datetime:
    return datetime.fromtimestamp(snapshot.description.created_ms / 1000, UTC)


def _facts(snapshot: "Snapshot", size: int) -> dict[str, Any]:
    description = snapshot.description
    return {
        "name": snapshot.name,
        "made": _made(snapshot),
        "bytes": size,
        "folder": str(snapshot.folder),
        "applied_offsets": _applied(snapshot),
        "log": description.identity,
    }


def _applied(snapshot: "Snapshot") -> dict[str, int]:
    offsets = {"catalog": snapshot.description.catalog} if snapshot.description.catalog is not None else {}
    offsets |= {f"points-{p}": applied for p, applied in sorted(snapshot.description.partitions.items())}
    return offsets

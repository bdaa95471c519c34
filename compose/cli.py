"""The ``headwater`` command."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from compose.demo import load_demo
from compose.inspect import describe
from compose.log_lines import record_line
from compose.logging import configure_logging
from compose.malloc import keep_little_free_memory
from compose.progress import progress
from compose.server import AddressInUseError, serve
from compose.settings import DataFolder, Settings
from ingest.embedded.log import EmbeddedLog
from ingest.log import LogDamagedError, LogUnavailableError, Topic
from projector.folders import StateFolder
from projector.replay import replay as replay_log
from projector.state.kv import StateDamagedError, StateLockedError
from projector.state.origin import StateMismatchError
from projector.verify import PartitionVerdict, verify_partition

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Headwater: a vector database over a log.",
)
log_app = typer.Typer(no_args_is_help=True, help="Look at the log.")
app.add_typer(log_app, name="log")

READ_BYTES = 4 << 20
Data = Annotated[Path | None, typer.Option("--data", help="Data folder (default: data, or HEADWATER_DATA).")]


class UserError(Exception):
    """Something the user can mend; shown without a traceback."""


_EXPECTED = (
    AddressInUseError,
    LogDamagedError,
    LogUnavailableError,
    StateDamagedError,
    StateLockedError,
    StateMismatchError,
    UserError,
)


def main() -> None:
    """Run the command line; what a user can mend ends with one clear message and exit code 1."""
    try:
        app()
    except _EXPECTED as error:
        Console(stderr=True).print(f"[bold red]headwater:[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(1)


def _settings(**flags: Any) -> Settings:
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(**given)
        configure_logging(settings.log_level)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error
    except ValueError as error:
        raise UserError(str(error)) from error
    return settings


@app.command("serve")
def serve_command(
    host: Annotated[str | None, typer.Option(help="Address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (default 6333).")] = None,
    data: Data = None,
    partitions: Annotated[int | None, typer.Option(help="Points partitions of a new log (default 1).")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Load 10,000 English words and show what to ask.")] = False,
) -> None:
    """Serve Qdrant's REST API over the embedded log."""
    settings = _settings(host=host, port=port, data=data, partitions=partitions, log_level=log_level)
    keep_little_free_memory()
    uvloop.run(serve(settings, load_demo if demo else None))


@app.command("verify")
def verify_command(data: Data = None) -> None:
    """Fold the log afresh and compare its digests with the live state. Exit code 1 when they differ."""
    settings = _settings(data=data)
    verdicts = asyncio.run(_verify(DataFolder(settings.data)))
    table = Table("collection", "shard", "points", "applied offset")
    for title in ("digest", "log folded afresh"):
        table.add_column(title, overflow="fold")
    for verdict in verdicts:
        for shard in verdict.shards:
            seen = shard.live or shard.afresh
            if seen is not None:
                digests = [d.value if d else "missing" for d in (shard.live, shard.afresh)]
                row = (seen.name, seen.shard, seen.points, verdict.applied, digests[0])
                table.add_row(*map(str, row), "equal" if shard.equal else f"[red]{digests[1]}[/]")
    Console().print(table)
    if not all(verdict.equal for verdict in verdicts):
        raise UserError("the live state is not what the log says: move the state folder away and start to rebuild it")
    Console().print("digests are equal")


async def _verify(folder: DataFolder) -> list[PartitionVerdict]:
    log = await EmbeddedLog.open(folder.log, read_only=True)
    try:
        verdicts: list[PartitionVerdict] = []
        for partition in range(log.partitions(Topic.POINTS)):
            end = await log.end_offset(Topic.POINTS, partition)
            with progress(f"folding points-{partition} afresh", end) as advance:
                state = StateFolder(folder.state)
                verdicts.append(await verify_partition(log, partition, state, folder.root, advance))
        return verdicts
    finally:
        await log.close()


@app.command("replay")
def replay_command(into: Annotated[Path, typer.Option(help="A new folder for the state.")], data: Data = None) -> None:
    """Rebuild the state from the log in a new folder. Put it in place of DATA/state while the server is stopped."""
    settings = _settings(data=data)
    if into.exists() and any(into.iterdir()):
        raise UserError(f"{into} is not empty")
    asyncio.run(_replay(DataFolder(settings.data), into))
    Console().print(f"rebuilt the state in {into}")


async def _replay(folder: DataFolder, into: Path) -> None:
    log = await EmbeddedLog.open(folder.log, read_only=True)
    try:
        ends = [await log.end_offset(Topic.POINTS, p) for p in range(log.partitions(Topic.POINTS))]
        with progress("replaying the log", sum(ends)) as advance:
            await replay_log(log, into, advance)
    finally:
        await log.close()


@app.command("info")
def info_command(data: Data = None) -> None:
    """Show what a data folder holds: log, state, collections."""
    settings = _settings(data=data)
    asyncio.run(describe(DataFolder(settings.data), Console()))


@log_app.command("tail")
def log_tail_command(
    start: Annotated[int, typer.Option("--from", help="First offset to show.")] = 0,
    topic: Annotated[Topic, typer.Option(help="Which topic.")] = Topic.POINTS,
    partition: Annotated[int, typer.Option(help="Which partition.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new records.")] = False,
    data: Data = None,
) -> None:
    """Print records as JSON lines."""
    settings = _settings(data=data)
    try:
        asyncio.run(_tail(DataFolder(settings.data), topic, partition, start, follow))
    except (BrokenPipeError, KeyboardInterrupt):
        sys.stderr.close()


async def _tail(folder: DataFolder, topic: Topic, partition: int, start: int, follow: bool) -> None:
    log = await EmbeddedLog.open(folder.log, read_only=True)
    try:
        if not 0 <= partition < log.partitions(topic):
            raise UserError(f"{topic} has {log.partitions(topic)} partitions, there is no {partition}")
        while True:
            records = await log.read(topic, partition, start, READ_BYTES)
            for record in records:
                sys.stdout.buffer.write(record_line(topic, record) + b"\n")
                start = record.offset + 1
            sys.stdout.buffer.flush()
            if not records and not follow:
                return
            if not records:
                await log.wait(topic, partition, start)
    finally:
        await log.close()


if __name__ == "__main__":
    main()

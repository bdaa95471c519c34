"""``headwater log``: look at the log, copy it, shorten it."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from compose.command_line import Commands, option
from compose.commands.options import Data, Kafka, Partitions, Prefix, kafka_settings, make_settings
from compose.console import plain_console, whole_table
from compose.errors import UserError
from compose.open_log import open_log
from compose.progress import progress
from compose.settings import DataFolder, Settings
from ingest.log import Topic

if TYPE_CHECKING:
    from compose.log_truncate import Cut
    from ingest.kafka.settings import KafkaSettings
    from projector.snapshot import Snapshot, SnapshotsFolder

app = Commands("Look at the log, copy it, shorten it.")

READ_BYTES = 4 << 20


@app.declared("tail")
def tail(
    start: Annotated[int, option("--from", help="First offset to show.")] = 0,
    topic: Annotated[Topic, option(help="Which topic.")] = Topic.POINTS,
    partition: Annotated[int, option(help="Which partition.")] = 0,
    follow: Annotated[bool, option("--follow", "-f", help="Go on with new records.")] = False,
    data: Data = None,
    kafka: Kafka = None,
    prefix: Prefix = None,
) -> None:
    """Print records as JSON lines."""
    settings = make_settings(data=data, kafka=kafka, prefix=prefix)
    try:
        asyncio.run(_tail(settings, topic, partition, start, follow))
    except (BrokenPipeError, KeyboardInterrupt):
        sys.stderr.close()


@app.declared("copy")
def copy(
    source: Annotated[Path, option("--from", help="The data folder whose log is copied; its server is stopped.")],
    kafka: Kafka = None,
    prefix: Prefix = None,
    partitions: Partitions = None,
) -> None:
    """Copy an embedded log into empty topics of Kafka. One that was cut short goes on where it stopped.

    What is then folded from the topics is what was folded from the embedded log.
    """
    settings = kafka_settings(make_settings(kafka=kafka, prefix=prefix, partitions=partitions))
    copied, before = asyncio.run(_copy(DataFolder(source), settings))
    kept = f", {before} of them before" if before else ""
    plain_console().print(f"copied {copied} records{kept} to the topics {settings.prefix}.*", highlight=False)


async def _copy(folder: DataFolder, settings: "KafkaSettings") -> tuple[int, int]:
    from compose.log_copy import copy_log, locked_log, total_records

    async with locked_log(folder.log) as log:
        with progress("copying records", await total_records(log)) as advance:
            copied = await copy_log(log, settings, advance)
    return copied.records, copied.before


@app.declared("truncate")
def truncate(
    snapshot: Annotated[str | None, option(help="The snapshot to rely on (default: the newest).")] = None,
    dry_run: Annotated[bool, option("--dry-run", help="Delete nothing, show what would go.")] = False,
    ignore_group: Annotated[
        list[str] | None, option(help="A consumer group that never comes back; may be repeated.")
    ] = None,
    data: Data = None,
    kafka: Kafka = None,
    prefix: Prefix = None,
) -> None:
    """Delete the records that a snapshot covers, in Kafka those that everyone has read. They are gone for good.

    The embedded log is shortened by whole files, also while a server runs on it.

    A state can then be started from the snapshot only, or a later one: keep it, and copy it to a safe place.
    """
    settings = make_settings(data=data, kafka=kafka, prefix=prefix)
    if settings.kafka is None:
        asyncio.run(_truncate_embedded(DataFolder(settings.data), snapshot, dry_run))
    else:
        asyncio.run(_truncate(settings, settings.kafka, snapshot, ignore_group or [], dry_run))


@app.declared("accept-loss")
def accept_loss(
    until: Annotated[int, option("--accept-loss-until", help="The last lost offset: the log's first, less 1.")],
    topic: Annotated[Topic, option(help="Which topic.")] = Topic.POINTS,
    partition: Annotated[int, option(help="Which partition.")] = 0,
    data: Data = None,
    kafka: Kafka = None,
    prefix: Prefix = None,
) -> None:
    """Go on, for good, without records that are gone from the log, were not applied, and are in no snapshot.

    The state, made where there is none, keeps which they were: see info, verify, /readyz. Nothing may run on it.
    """
    settings = make_settings(data=data, kafka=kafka, prefix=prefix)
    from compose.accept_loss import accept_loss as accept

    loss = asyncio.run(accept(settings, topic, partition, until))
    plain_console().print(
        f"the state of {topic}-{partition} goes on without offsets {loss.first} to {loss.last}", highlight=False
    )


async def _truncate_embedded(folder: DataFolder, name: str | None, dry_run: bool) -> None:
    from compose.embedded_truncation import truncate_folder
    from compose.log_truncate import choose_snapshot, plan_cuts
    from ingest.embedded import EmbeddedLog
    from projector.snapshot import SnapshotsFolder
    from projector.snapshot.check import check_snapshot

    snapshots = SnapshotsFolder(folder.snapshots)
    with snapshots.lock():
        snapshots.sweep()
        log = await EmbeddedLog.open(folder.log, read_only=True)
        try:
            snapshot = choose_snapshot(snapshots, name, log.identity)
            cuts = await plan_cuts(log, snapshot)
        finally:
            await log.close()
        with progress(f"points read in the snapshot {snapshot.name}", None) as advance:
            check_snapshot(snapshot, advance)
        if not dry_run:
            await truncate_folder(folder.log, cuts)
            log = await EmbeddedLog.open(folder.log, read_only=True)
            try:
                starts = [await log.start_offset(cut.topic, cut.partition) for cut in cuts]
            finally:
                await log.close()
            cuts = [replace(cut, limit=start) for cut, start in zip(cuts, starts, strict=True)]
    _show_cuts(snapshot.name, cuts, dry_run)


async def _truncate(
    settings: Settings, kafka: "KafkaSettings", name: str | None, ignored: list[str], dry_run: bool
) -> None:
    from ingest.kafka.deletion import delete_before
    from projector.snapshot import SnapshotsFolder
    from projector.snapshot.check import check_snapshot

    snapshots = SnapshotsFolder(DataFolder(settings.data).snapshots)
    # Until the records are gone: what is deleted is in the snapshot only, so nobody may delete that meanwhile.
    with snapshots.lock():
        # What a killed command asked for would pass for a request of this one, and be answered.
        snapshots.sweep()
        snapshot, cuts = await _plan(snapshots, kafka, name)
        await _check_readers(cuts, kafka, ignored)
        with progress(f"points read in the snapshot {snapshot.name}", None) as advance:
            check_snapshot(snapshot, advance)
        doomed = {(cut.topic, cut.partition): cut.limit for cut in cuts if cut.limit > cut.start}
        if doomed and not dry_run:
            await delete_before(kafka, doomed)
    _show_cuts(snapshot.name, cuts, dry_run)


async def _plan(snapshots: "SnapshotsFolder", kafka: "KafkaSettings", name: str | None) -> "tuple[Snapshot, list[Cut]]":
    from compose.log_truncate import choose_snapshot, plan_cuts
    from ingest.kafka import KafkaLog

    log = await KafkaLog.open(kafka, create=False)
    try:
        snapshot = choose_snapshot(snapshots, name, log.identity)
        return snapshot, await plan_cuts(log, snapshot)
    finally:
        await log.close()


async def _check_readers(cuts: "list[Cut]", kafka: "KafkaSettings", ignored: list[str]) -> None:
    from compose.log_truncate import check_readers
    from ingest.kafka.groups import GroupOffsets

    groups = await GroupOffsets.open(kafka)
    try:
        check_readers(cuts, await groups.all_committed(), kafka.prefix, ignored)
    finally:
        await groups.close()


def _show_cuts(snapshot: str, cuts: "list[Cut]", dry_run: bool) -> None:
    begins = "would begin at" if dry_run else "begins at"
    table = whole_table("topic", "partition", "first offset", begins, "deleted offsets")
    for cut in cuts:
        table.add_row(*map(str, (cut.topic, cut.partition, cut.start, cut.limit, cut.limit - cut.start)))
    console = plain_console()
    console.print(table)
    if not dry_run:
        console.print(f"Keep the snapshot {snapshot}, or a later one: what was deleted is in there only.")


async def _tail(settings: Settings, topic: Topic, partition: int, start: int, follow: bool) -> None:
    from compose.log_lines import record_line

    async with open_log(settings) as log:
        if not 0 <= partition < log.partitions(topic):
            raise UserError(f"{topic} has {log.partitions(topic)} partitions, there is no {partition}")
        start = max(start, await log.start_offset(topic, partition))
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

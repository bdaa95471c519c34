"""``headwater log``: look at the log, copy it, shorten it."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from compose.commands.options import Data, Kafka, Partitions, Prefix, kafka_settings, make_settings
from compose.errors import UserError
from compose.open_log import open_log
from compose.progress import progress
from compose.settings import DataFolder, Settings
from ingest.kafka.settings import KafkaSettings
from ingest.log import Topic

app = typer.Typer(no_args_is_help=True, help="Look at the log, copy it, shorten it.")

READ_BYTES = 4 << 20


@app.command("tail")
def tail(
    start: Annotated[int, typer.Option("--from", help="First offset to show.")] = 0,
    topic: Annotated[Topic, typer.Option(help="Which topic.")] = Topic.POINTS,
    partition: Annotated[int, typer.Option(help="Which partition.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new records.")] = False,
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


@app.command("copy")
def copy(
    source: Annotated[Path, typer.Option("--from", help="The data folder whose log is copied; its server is stopped.")],
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
    Console().print(f"copied {copied} records{kept} to the topics {settings.prefix}.*", highlight=False)


async def _copy(folder: DataFolder, settings: KafkaSettings) -> tuple[int, int]:
    from compose.log_copy import copy_log, locked_log, total_records

    async with locked_log(folder.log) as log:
        with progress("copying records", await total_records(log)) as advance:
            copied = await copy_log(log, settings, advance)
    return copied.records, copied.before


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

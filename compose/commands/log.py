"""``headwater log``: look at the log."""

import asyncio
import sys
from typing import Annotated

import typer

from compose.commands.options import Data, Kafka, Prefix, make_settings
from compose.errors import UserError
from compose.open_log import open_log
from compose.settings import Settings
from ingest.log import Topic

app = typer.Typer(no_args_is_help=True, help="Look at the log.")

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

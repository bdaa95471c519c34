"""``headwater produce``: JSON lines to Kafka."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from compose.command_line import argument, option
from compose.commands.options import Kafka, Prefix, kafka_settings, make_settings
from compose.console import plain_console
from compose.errors import UserError
from compose.progress import progress

if TYPE_CHECKING:
    from compose.input import ByteSource


def produce(
    file: Annotated[Path | None, argument(help="A file of JSON lines (default: standard input).")] = None,
    collection: Annotated[str | None, option(help="The collection of lines that name none.")] = None,
    key: Annotated[str, option(help="The field that is a line's key: equal keys keep their order.")] = "id",
    partition: Annotated[int | None, option(help="Send everything here, whatever its key.")] = None,
    skip_bad: Annotated[bool, option("--skip-bad", help="Leave out lines that can't be sent.")] = False,
    kafka: Kafka = None,
    prefix: Prefix = None,
) -> None:
    """Send JSON lines to the points topic.

    A line is one point as Qdrant's Kafka connector takes it, {"collection_name", "id", "vector", "payload"}, or a body
    of the REST write endpoints with collection_name added. What the collection doesn't take ends up on the rejected
    topic. Lines without the key field have no key, and go to one partition, in order.
    """
    settings = kafka_settings(make_settings(kafka=kafka, prefix=prefix))
    from compose.produce import ProduceOptions
    from compose.produce import produce as send

    options = ProduceOptions(collection, key, partition, skip_bad)
    with progress("lines sent", None) as advance:
        produced = asyncio.run(send(settings, _source(file), options, advance))
    console = plain_console(stderr=True)
    for error in produced.reasons:
        console.print(f"skipped {error}", highlight=False, soft_wrap=True)
    for field, seen in produced.unknown.items():
        times = "line" if seen.lines == 1 else "lines"
        text = f"the field {field} means nothing and was ignored, in {seen.lines} {times}, first in line {seen.first}"
        console.print(text, highlight=False, soft_wrap=True)
    for name in produced.missing:
        text = f"there is no collection {name}: what names it goes to the rejected topic"
        console.print(text, highlight=False, soft_wrap=True)
    skipped = f", {produced.skipped} skipped" if produced.skipped else ""
    console.print(f"{produced.sent} {'line' if produced.sent == 1 else 'lines'} sent{skipped}", highlight=False)


def _source(file: Path | None) -> "ByteSource":
    if file is None or str(file) == "-":
        return cast("ByteSource", sys.stdin.buffer)
    try:
        return file.open("rb")
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from error

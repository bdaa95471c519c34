"""``headwater rejected``: what could not be applied."""

import asyncio
import sys
from typing import Annotated

from compose.command_line import Commands, option
from compose.commands.options import Data, Kafka, Prefix, make_settings
from compose.console import plain_console
from compose.errors import UserError
from compose.open_log import open_log
from compose.progress import progress
from compose.settings import Settings

app = Commands("Records that could not be applied.")


@app.declared("list")
def list_rejected(
    as_json: Annotated[bool, option("--json", help="Everything there is, as JSON lines.")] = False,
    follow: Annotated[bool, option("--follow", "-f", help="Go on with new ones.")] = False,
    data: Data = None,
    kafka: Kafka = None,
    prefix: Prefix = None,
) -> None:
    """Print rejected records, once each: time, origin (topic/partition/offset), key, reason, how the value begins."""
    settings = make_settings(data=data, kafka=kafka, prefix=prefix)
    try:
        asyncio.run(_list(settings, as_json, follow))
    except (BrokenPipeError, KeyboardInterrupt):
        sys.stderr.close()


async def _list(settings: Settings, as_json: bool, follow: bool) -> None:
    from compose.rejected import read_rejected
    from compose.rejected_lines import json_line, readable_line

    async with open_log(settings) as log:
        async for rejected in read_rejected(log, follow=follow):
            line = json_line(rejected) if as_json else readable_line(rejected).encode()
            sys.stdout.buffer.write(line + b"\n")
            if follow:
                sys.stdout.buffer.flush()
        sys.stdout.buffer.flush()


@app.declared("replay")
def replay(
    origin: Annotated[list[str] | None, option(help="This one (topic/partition/offset); may be repeated.")] = None,
    reason: Annotated[str | None, option(help="Those with this text in their reason.")] = None,
    everything: Annotated[bool, option("--all", help="All of them.")] = False,
    dry_run: Annotated[bool, option("--dry-run", help="Send nothing, say how many there are.")] = False,
    data: Data = None,
    kafka: Kafka = None,
    prefix: Prefix = None,
) -> None:
    """Send rejected records to the points topic again, as they first came, once what was wrong is mended.

    They stay on the rejected topic. Without Kafka the server must be stopped.
    """
    settings = make_settings(data=data, kafka=kafka, prefix=prefix)
    if everything == bool(origin or reason):
        raise UserError("say which: --origin, --reason, or --all")
    count = asyncio.run(_replay(settings, origin or [], reason or "", dry_run))
    what = "record" if count == 1 else "records"
    plain_console().print(f"{count} {what} {'would be sent' if dry_run else 'sent'} again", highlight=False)


async def _replay(settings: Settings, origins: list[str], reason: str, dry_run: bool) -> int:
    from compose.rejected import Place, Selection, parse_place, replay_rejected

    places: set[Place] = set()
    for origin in origins:
        place = parse_place(origin)
        if place is None:
            raise UserError(f"{origin} is no origin: topic/partition/offset, as the list shows it")
        places.add(place)
    async with open_log(settings, write=not dry_run) as log:
        with progress("records sent again", None) as advance:
            return await replay_rejected(log, Selection(frozenset(places), reason), advance, dry_run=dry_run)

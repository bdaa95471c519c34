"""``headwater replay``: the state from the log, in a new folder."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from compose.command_line import option
from compose.commands.options import Data, Kafka, Prefix, make_settings
from compose.console import plain_console
from compose.errors import UserError
from compose.open_log import open_log
from compose.progress import progress
from compose.settings import DataFolder, Settings
from ingest.log import Log


def replay(
    into: Annotated[Path, option(help="A new folder for the state.")],
    data: Data = None,
    kafka: Kafka = None,
    prefix: Prefix = None,
) -> None:
    """Rebuild the state from the log in a new folder. Put it in place of DATA/state while nothing runs on that."""
    settings = make_settings(data=data, kafka=kafka, prefix=prefix)
    if into.exists() and any(into.iterdir()):
        raise UserError(f"{into} is not empty")
    asyncio.run(_replay(settings, into))
    plain_console().print(f"rebuilt the state in {into}")


async def _replay(settings: Settings, into: Path) -> None:
    from ingest.log import Topic
    from projector.snapshot import SnapshotsFolder
    from projector.snapshot.advice import advising
    from projector.worker.replay import replay as replay_log

    snapshots = SnapshotsFolder(DataFolder(settings.data).snapshots)
    async with open_log(settings) as log:
        routed = await _routed(settings, log)
        ends = [await log.end_offset(Topic.POINTS, p) for p in range(log.partitions(Topic.POINTS))]
        with progress("replaying the log", sum(ends)) as advance, advising(snapshots, log.identity):
            await replay_log(log, into, advance, routed)


async def _routed(settings: Settings, log: Log) -> Mapping[int, int] | None:
    """What the router has yet to deal with must be in the state, as that is where it looks."""
    if settings.kafka is None:
        return None
    from compose.projector.relays import router_offsets

    return await router_offsets(settings.kafka, log)

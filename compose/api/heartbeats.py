"""Telling a worker that hangs from one that works: by the heartbeats in the visibility table."""

import asyncio

from compose.api.visibility_table import VisibilityTable

LOOK_SECONDS = 0.5
START_SECONDS = 120.0
"""Before its first heartbeat a worker imports everything, perhaps on a busy machine."""


async def hangs(table: VisibilityTable, worker: int, seconds: float) -> None:
    """Return once ``worker`` has shown no life for ``seconds``, or has not begun to for START_SECONDS.

    Counted in looks rather than by the clock: a machine that slept, or whose processes were all stopped together, wakes
    with every heartbeat old.
    """
    beats, looks = 0, 0
    while looks * LOOK_SECONDS < (seconds if beats else START_SECONDS):
        await asyncio.sleep(LOOK_SECONDS)
        now = table.heartbeats(worker)
        looks = looks + 1 if now == beats else 0
        beats = now

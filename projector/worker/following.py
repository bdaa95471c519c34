"""Following one partition of the log."""

import asyncio

from projector.worker.partition_runner import Advance, ignore_progress
from projector.worker.service import FoldService


async def catch_up(service: FoldService, end: int, advance: Advance = ignore_progress) -> None:
    """Apply every record below ``end``, which must be on the log; ``advance`` is told how far it is."""
    while service.applied + 1 < end and await service.step(end):
        advance(service.applied + 1)
        await asyncio.sleep(0)


async def follow(service: FoldService) -> None:
    """Apply what is on the log, and what comes, for ever."""
    while True:
        if not await service.step():
            await service.wait()

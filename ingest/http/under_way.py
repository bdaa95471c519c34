"""Which requests are under way in this process: they have come, and are not answered yet."""

import asyncio

UNDER_WAY: set[asyncio.Task[None]] = set()
"""The tasks that answer them, from before these begin."""


def is_alone() -> bool:
    """Whether no other request is under way than that which asks, and this does nothing else meanwhile.

    False where that is not known: what answers it was begun by something else than ``UNDER_WAY`` tells of.
    """
    return len(UNDER_WAY) == 1 and asyncio.current_task() in UNDER_WAY

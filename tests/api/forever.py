"""Waiting, for feeds in memory."""

import asyncio
from collections.abc import Callable


async def forever() -> None:
    """Never return."""
    await asyncio.Event().wait()


class Gate:
    """Open at first; whoever waits goes on when it is open."""

    def __init__(self, on_open: Callable[[], None]) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._on_open = on_open

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()
        self._on_open()

    async def wait(self) -> None:
        await self._open.wait()

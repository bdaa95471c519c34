"""Worker threads for reads that take long, so that short ones and writes are not held up by them."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ingest.deadline import Deadline
from query_api.native import NativeThreads
from schemas.errors import TimedOutError

ResultT = TypeVar("ResultT")


class ReadThreads:
    """As many threads as the machine has cores; not the event loop's own, on which the log syncs."""

    def __init__(self) -> None:
        self.native = NativeThreads()
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, "headwater-read")

    async def run(self, function: Callable[[], ResultT], deadline: Deadline) -> ResultT:
        """The function's result. Raises TimedOutError at the deadline; it then still runs to its end."""
        future = asyncio.get_running_loop().run_in_executor(self._pool, function)
        try:
            async with asyncio.timeout(deadline.left()):
                return await future
        except TimeoutError:
            raise TimedOutError(f"Timeout: the request took longer than {deadline.seconds:g} seconds") from None

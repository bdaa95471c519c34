"""Following a feed for ever: what has to be loaded anew where it breaks, and is not there yet at first."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from projector.feed.errors import FeedBrokenError, NoFeedError
from projector.feed.reader import FeedReader

RETRY_SECONDS = 0.1

_logger = structlog.get_logger("headwater.feed")


class Reloading:
    """One follower's."""

    def __init__(self, reader: FeedReader, event: str, **facts: Any) -> None:
        """``event`` is logged, with ``facts``, when it begins anew for a reason that it was not told the last time."""
        self.trouble = ""
        """Why it could not be loaded the last time; empty when it could, or when there is no feed yet."""
        self._reader = reader
        self._event = event
        self._facts = facts

    async def run(self, load: Callable[[], Awaitable[None]], follow: Callable[[], Awaitable[None]]) -> None:
        """Load what the feed has by now, then follow it, for ever. Both raise FeedBrokenError, NoFeedError."""
        while True:
            try:
                await load()
                self.trouble = ""
                await follow()
            except NoFeedError:
                await self._reader.wait()
            except FeedBrokenError as error:
                if str(error) != self.trouble:
                    _logger.warning(self._event, **self._facts, reason=str(error))
                    self.trouble = str(error)
                await asyncio.sleep(RETRY_SECONDS)

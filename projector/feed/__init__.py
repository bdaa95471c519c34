"""The feed between processes: frames in append-only files, and bells that wake its readers (docs/feed-format.md).

In one process the feed is a function that takes a frame; ``FeedWriter.write`` is one such.
"""

from projector.feed.errors import FeedBrokenError, NoFeedError
from projector.feed.reader import FeedReader
from projector.feed.writer import FeedWriter

__all__ = ["FeedBrokenError", "FeedReader", "FeedWriter", "NoFeedError"]

"""The feed between processes: frames in append-only files, and bells that wake its readers (docs/feed-format.md).

In one process the feed is a function that takes a frame; ``PartitionFeed.on_frame`` is one such. The projector writes
with ``PartitionFeed`` and ``CatalogFeed``; ``PartitionFeedFollower`` and ``CatalogFeedFollower`` read.
"""

"""What a reader of the feed can meet."""


class FeedBrokenError(Exception):
    """The frames that this reader needs next can't be had; it must load the segments and open the feed again."""


class NoFeedError(FeedBrokenError):
    """No projector has written a feed here yet."""

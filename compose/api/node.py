"""ApiNode: what one worker of an api stands on, log, catalog and views; and how these become ready."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Gauge

from compose.api.catching_up import STALLED_SECONDS, Target, catch_up
from compose.api.feed_views import FeedViews
from compose.api.feeds import Feed, Feeds, PartitionFeed
from compose.api.membership import Membership
from compose.api.read_lag import ReadLag
from compose.api.startup import Startup
from compose.app import no_recount
from ingest.log import Log, LogUnavailableError, LogUnreachableError, Topic
from projector.segments import metrics
from projector.segments.errors import SegmentDamagedError
from projector.segments.reader import Segment
from projector.segments.scrubber import Scrubber

PAUSE_LOOK_SECONDS = 0.5
"""Between looks at what projectors say of pauses."""
LOOK_SECONDS = 5.0
"""How often the topic is asked for its partitions; a write or a token that names a new one is not kept waiting."""
LEAST_SECONDS = 1.0
RETRY_SECONDS = 0.5

VISIBLE = Gauge(
    "headwater_visible_offset",
    "The offset up to which reads show everything, as of the last seconds; with several workers the lowest",
    ["topic", "partition"],
    multiprocess_mode="livemin",
)
_READ = (Topic.CATALOG, Topic.POINTS)
_logger = structlog.get_logger("headwater.api")


class ApiNode:
    """``log``, ``catalog`` and ``views`` are what the routes need; ``startup`` says when they may be used."""

    def __init__(
        self,
        log: Log,
        feeds: Feeds,
        membership: Membership,
        startup: Startup,
        *,
        recount: Callable[[], Awaitable[None]] = no_recount,
        stalled_seconds: float = STALLED_SECONDS,
    ) -> None:
        """``recount`` has the log ask how many partitions there are. Raises OSError."""
        self.log = log
        self.catalog = feeds.catalog()
        self.startup = startup
        self.views = FeedViews(log, self.catalog, membership, self._follow)
        self.lag = ReadLag(log)
        self._feeds = feeds
        self._membership = membership
        self._ask_partitions = recount
        self._stalled_seconds = stalled_seconds
        self._followed: dict[int, PartitionFeed] = {}
        self._group = asyncio.TaskGroup()
        self._ready = asyncio.Event()
        self._recounting = asyncio.Lock()
        self._recounted = float("-inf")
        """When it was asked the last time."""

    async def run(self) -> None:
        """Follow the feeds. Returns only by an exception: then the process must end."""
        async with self._group as group:
            group.create_task(self.catalog.run())
            group.create_task(Scrubber(self.views.segments, self._tell_of_damage).run())
            self._follow_all()
            group.create_task(self._watch_partitions())
            group.create_task(self._watch_pauses())
            await self._get_ready()

    def _tell_of_damage(self, segment: Segment, error: SegmentDamagedError) -> None:
        if segment in self.views.segments():
            segment.damage = error.message
            metrics.DAMAGED.inc()
            _logger.error("segment damaged; a projector that finds it too rebuilds it", why=error.message)

    async def _get_ready(self) -> None:
        ends = [(topic, p, await self._end(topic, p)) for topic in _READ for p in range(self.log.partitions(topic))]
        await self._load()
        targets = [Target(topic, p, self.views.waiters(topic, p), end) for topic, p, end in ends]
        await catch_up(self.log, targets, self.startup.say, self._stalled_seconds)
        await self._membership.join(self.views.reach_column)
        self._measure()
        self.startup.done()
        self._ready.set()

    async def _end(self, topic: Topic, partition: int) -> int:
        while True:
            try:
                return await self.log.end_offset(topic, partition)
            except LogUnavailableError as error:
                self.startup.say(f"waiting for the log: {error}")
                await asyncio.sleep(RETRY_SECONDS)

    async def _load(self) -> None:
        await self._load_one(self.catalog, "the catalog")
        for partition, feed in sorted(self._followed.items()):
            await self._load_one(feed, f"partition {partition}")

    async def _load_one(self, feed: Feed, what: str) -> None:
        loading = asyncio.create_task(feed.loaded())
        try:
            while not loading.done():
                self.startup.say(f"loading {what}: {feed.trouble or 'once its feed is there'}")
                await asyncio.wait({loading}, timeout=RETRY_SECONDS)
        finally:
            loading.cancel()

    def _follow(self, partition: int) -> PartitionFeed:
        feed = self._followed[partition] = self._feeds.partition(partition)
        self._group.create_task(feed.run())
        self._group.create_task(self._note_loaded(partition, feed))
        return feed

    async def _note_loaded(self, partition: int, feed: PartitionFeed) -> None:
        await feed.loaded()
        self.views.loaded(partition)
        _logger.info(
            "partition loaded", worker=self._membership.worker, partition=partition, visible=feed.waiters.visible
        )

    def _follow_all(self) -> None:
        for partition in range(self.log.partitions(Topic.POINTS)):
            self.views.add(partition)

    async def _watch_partitions(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.recount()
            except LogUnavailableError as error:
                write = _logger.debug if isinstance(error, LogUnreachableError) else _logger.info
                write("partitions not counted", reason=str(error))
            await self.lag.look({partition: feed.waiters.visible for partition, feed in self._followed.items()})
            self._measure()

    async def _watch_pauses(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_LOOK_SECONDS)
            for feed in (self.catalog, *self._followed.values()):
                feed.look_for_pause()
                await asyncio.sleep(0)

    async def recount(self) -> None:
        """Ask how many partitions there are now, and follow new ones. Who asks often is answered once a second.

        Raises LogUnavailableError, KafkaTopicError.
        """
        time = asyncio.get_running_loop().time
        called = time()
        async with self._recounting:
            if self._recounted < called:
                await asyncio.sleep(self._recounted + LEAST_SECONDS - time())
                self._recounted = time()
                await self._ask_partitions()
        self._follow_all()

    def _measure(self) -> None:
        VISIBLE.labels(Topic.CATALOG, 0).set(self.catalog.waiters.visible)
        for partition, feed in self._followed.items():
            VISIBLE.labels(Topic.POINTS, partition).set(feed.waiters.visible)

    async def ready(self) -> None:
        """Return once this worker is ready."""
        await self._ready.wait()

    def close(self) -> None:
        """Let go of the feeds, after ``run`` has ended."""
        self.catalog.close()
        for feed in self._followed.values():
            feed.close()

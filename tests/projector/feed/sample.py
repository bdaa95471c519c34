"""Payloads to write, and a feed reader's usual round: open, read until there is no more."""

from pathlib import Path

from hypothesis import strategies as st

from projector.feed.format import FeedKind, FeedSource
from projector.feed.reader import FeedReader
from projector.feed.writer import FeedWriter
from projector.frames import Changes, Closed, Event, Frame, Opened, Reconfigured, Resealed, ShardId
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import UUID_BASE, PointId, to_wire
from schemas.operations import Outcome

IDENTITY = "the log"
SOURCE = FeedSource(FeedKind.POINTS, 0, IDENTITY)
CONFIG = CollectionConfig(vectors={"": VectorParams(2, Distance.DOT)}, metadata={"a": [1, None]})
SHARD = ShardId(1 << 63, 3)
CHECKPOINT = b"a checkpoint"

_ids = st.one_of(st.integers(0, UUID_BASE - 1), st.integers(UUID_BASE, UUID_BASE + (1 << 128) - 1)).map(
    lambda i: to_wire(PointId(i))
)
_points = st.dictionaries(_ids, st.none() | st.binary(max_size=40), max_size=4)
events: st.SearchStrategy[Event] = st.one_of(
    st.just(Opened(SHARD, "a name", CONFIG, [0, 2, 1])),
    st.just(Reconfigured(SHARD, CONFIG)),
    st.just(Closed(SHARD)),
    st.just(Resealed(SHARD, 1 << 40)),
    _points.map(lambda points: Changes(SHARD, list(points), list(points.values()))),
)
outcomes = st.lists(st.sampled_from([Outcome(), Outcome("Not found: ünïcode", 404)]), max_size=3)
frames = st.builds(Frame, st.integers(-1, 2**62), st.lists(events, max_size=3), outcomes, st.booleans())


def payload(sequence: int, size: int = 10) -> bytes:
    """A payload that tells its number, of ``size`` bytes."""
    return (b"%010d" % sequence) * (size // 10)


def start(folder: Path, source: FeedSource = SOURCE) -> FeedWriter:
    """A generation that readers see, whose first file's checkpoint is ``CHECKPOINT``."""
    writer = FeedWriter(folder, source, CHECKPOINT)
    writer.show()
    return writer


def write(folder: Path, count: int, *, roll_every: int | None = None) -> Path:
    """A feed of ``count`` frames beside the checkpoints; returns its first file."""
    with start(folder) as writer:
        for number in range(count):
            if roll_every is not None and number and number % roll_every == 0:
                writer.roll(CHECKPOINT)
            writer.write([payload(number)])
        return folder / writer.files[0].name


def read_all(reader: FeedReader) -> list[bytes]:
    """Everything up to the end."""
    found: list[bytes] = []
    while payloads := reader.read():
        found += map(bytes, payloads)
    return found


def feed_files(folder: Path) -> list[Path]:
    """The feed's files, in order."""
    return sorted(folder.glob("*.feed"))

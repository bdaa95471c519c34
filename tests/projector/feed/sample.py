"""Frames to write, and a feed reader's usual round: open, read until there is no more."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from hypothesis import strategies as st

from projector.feed import FeedReader
from projector.frames import Changes, Closed, Event, Frame, Opened, Reconfigured, ShardId
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import UUID_BASE, PointId, to_wire
from schemas.operations import Outcome

IDENTITY = "the log"
CONFIG = CollectionConfig(vectors={"": VectorParams(2, Distance.DOT)}, metadata={"a": [1, None]})
SHARD = ShardId(1 << 63, 3)

_ids = st.one_of(st.integers(0, UUID_BASE - 1), st.integers(UUID_BASE, UUID_BASE + (1 << 128) - 1)).map(
    lambda i: to_wire(PointId(i))
)
_points = st.dictionaries(_ids, st.none() | st.binary(max_size=40), max_size=4)
events: st.SearchStrategy[Event] = st.one_of(
    st.just(Opened(SHARD, "a name", CONFIG, [0, 2, 1])),
    st.just(Reconfigured(SHARD, CONFIG)),
    st.just(Closed(SHARD)),
    _points.map(lambda points: Changes(SHARD, list(points), list(points.values()))),
)
outcomes = st.lists(st.sampled_from([Outcome(), Outcome("Not found: ünïcode", 404)]), max_size=3)
records = st.lists(st.lists(st.tuples(st.lists(events, max_size=2), outcomes), min_size=1, max_size=3), max_size=12)
"""Records as the chunks they were applied in."""


def frames_of(chunked: Iterable[Iterable[tuple[list[Event], list[Outcome]]]]) -> Iterator[Frame]:
    """The frames of ``records``: offsets from 0 with gaps, sequence dense."""
    sequence = 0
    for number, record in enumerate(chunked):
        chunks = list(record)
        for chunk, (its_events, its_outcomes) in enumerate(chunks, start=1):
            yield Frame(sequence, number * 3, its_events, its_outcomes, chunk == len(chunks))
            sequence += 1


def frame(sequence: int, offset: int | None = None, size: int = 10, *, final: bool = True) -> Frame:
    """A frame whose one point has ``size`` bytes; its offset is its sequence unless given."""
    offset = sequence if offset is None else offset
    data = (b"%010d" % sequence) * (size // 10)
    return Frame(sequence, offset, [Changes(SHARD, [sequence], [data])], final=final)


def read_all(reader: FeedReader) -> list[Frame]:
    """Everything up to the end."""
    found: list[Frame] = []
    while frames := reader.read():
        found += frames
    return found


def feed_files(folder: Path) -> list[Path]:
    """The feed's files, in order."""
    return sorted(folder.glob("*.feed"))

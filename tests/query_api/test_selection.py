"""What passes a filter in a segment is not decided anew when a point in it dies."""

import pytest

from projector.columns import keywords
from projector.frames import ShardId
from projector.view.live_shard import LiveShard
from query_api.find import selection
from query_api.find.selection import passing
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.filters import Filter, parse_filter
from schemas.ids import PointId
from schemas.matching import Candidate, matches
from schemas.points import encode_point
from tests.projector.view.memory_segment import MemorySegment, nobody_dead

CONFIG = CollectionConfig(vectors={"": VectorParams(1, Distance.DOT)})
FOX = parse_filter({"must": [{"key": "t", "match": {"text": "fox"}}]})


@pytest.fixture(autouse=True)
def no_strings_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the evaluator decides."""
    monkeypatch.setattr(keywords, "_FEW", 0)


def test_a_death_is_subtracted_from_what_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a fox", "a bear", "two foxes"]
    rows = [(PointId(i), encode_point(i + 1, (), b'{"t":"%b"}' % t.encode())) for i, t in enumerate(texts)]
    segment = MemorySegment(CONFIG, rows)
    live = LiveShard(ShardId(1, 0), CONFIG, [(segment, nobody_dead(segment))], 0)
    asked: list[PointId] = []

    def counting(filter: Filter, point: Candidate) -> bool:
        asked.append(point.id)
        return matches(filter, point)

    monkeypatch.setattr(selection, "matches", counting)
    before = live.view.parts[0]
    assert passing(before, FOX).found(before).slots().tolist() == [0, 2]
    assert len(asked) == len(texts)
    live.apply([PointId(0)], [None], 1)
    after = live.publish(1).parts[0]
    assert passing(after, FOX).found(after).slots().tolist() == [2]
    assert passing(before, FOX).found(before).slots().tolist() == [0, 2]
    assert len(asked) == len(texts)


def test_an_older_view_is_not_answered_from_what_a_newer_one_was_told() -> None:
    rows = [(PointId(i), encode_point(i + 1, (), b'{"t":"a fox"}')) for i in range(2)]
    segment = MemorySegment(CONFIG, rows)
    live = LiveShard(ShardId(1, 0), CONFIG, [(segment, nobody_dead(segment))], 0)
    before = live.view.parts[0]
    live.apply([PointId(0)], [None], 1)
    after = live.publish(1).parts[0]
    assert passing(after, FOX).found(after).slots().tolist() == [1]
    assert passing(before, FOX).found(before).slots().tolist() == [0, 1]

"""How quickly points come: what tells a trickle from a bulk load."""

from pathlib import Path

from projector.frames import ShardId
from projector.segments.shard_work import Pace, ShardWork
from projector.view.live_shard import LiveShard
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId
from schemas.points import encode_point
from tests.projector.view.memory_segment import build_from


def test_a_trickle_is_as_quick_as_it_is() -> None:
    pace = Pace(0.0)
    found: list[float] = []
    for tick in range(1, 101):
        pace.add(50)
        found.append(pace.at(tick / 10))
    assert all(abs(each - 500) < 60 for each in found[25:])


def test_a_load_is_told_as_soon_as_it_has_begun() -> None:
    pace = Pace(0.0)
    pace.at(100.0)
    pace.add(10_000)
    assert pace.at(100.1) >= 5000


def test_what_has_ended_is_forgotten_after_a_while() -> None:
    pace = Pace(0.0)
    pace.add(100_000)
    assert pace.at(1.0) > 10_000
    pace.at(3.0)
    pace.at(6.0)
    assert pace.at(9.0) == 0.0


def test_points_count_when_they_come_and_never_again(tmp_path: Path) -> None:
    def add(first: int, offset: int) -> None:
        new = [PointId(number) for number in range(first, first + 500)]
        live.apply(new, [encode_point(1, [], b"{}") for _ in new], offset)
        live.publish(offset)

    live = LiveShard(ShardId(1, 0), CollectionConfig({"": VectorParams(2, Distance.DOT)}), [], 0)
    add(0, 1)
    work = ShardWork(live.shard, live, tmp_path, None, 0.0)
    assert work.tail_facts(0.5).pace == 0
    base = live.view
    add(500, 2)
    assert work.tail_facts(1.0).pace == 250
    live.replace(base, [], [build_from(base, [], True)], tails_sealed=True)
    assert work.tail_facts(1.5).pace == 250
    add(1000, 3)
    assert work.tail_facts(2.0).pace == 500

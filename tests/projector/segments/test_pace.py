"""How quickly points come: what tells a trickle from a bulk load."""

from projector.segments.shard_work import Pace


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

"""CatchingUp: how far several partitions are, together."""

from ingest.log import Topic
from projector.worker.catching_up import CatchingUp

FIRST, SECOND = (Topic.POINTS, 0), (Topic.POINTS, 1)


def test_partitions_add_up_and_begin_anew() -> None:
    told: list[tuple[int, int]] = []
    catching_up = CatchingUp(lambda done, total: told.append((done, total)))
    catching_up.begin(FIRST, 10)
    catching_up.advance(FIRST, 4)
    catching_up.begin(SECOND, 100)
    catching_up.end(FIRST)
    catching_up.advance(SECOND, 50)
    catching_up.end(SECOND)
    assert told == [(0, 10), (6, 10), (6, 110), (10, 110), (60, 110), (110, 110)]
    told.clear()
    catching_up.begin(FIRST, 3)
    catching_up.end(SECOND)
    assert told == [(0, 3)]

"""An answer depends neither on where points are, in which segments, tail, shards and partitions, nor on their past."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from projector.segments.spill import write_spill
from projector.view.live_shard import LiveShard
from tests.projector.segments.samples import build, spec
from tests.queries.world import CONFIG, NAMES, POINTS, Vectors, point, queries
from tests.rest.client import MemoryRest
from tests.support.seeds import BASE_SEED

PARTITIONS, SHARDS = 3, 4
ROUNDS = 5
EVERY = 3
"""Of the queries, every so many are asked."""
POINTS_PATH = "/collections/c/points"


@pytest.fixture(scope="module")
def plain() -> Iterator[MemoryRest]:
    """All in one tail, as it was written."""
    rest = MemoryRest()
    rest.create(**CONFIG)
    rest.upsert(*POINTS)
    yield rest
    rest.close()


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryRest]:
    """Over shards, partitions, segments and tails, after updates, deletes and merges."""
    folder = tmp_path_factory.mktemp("segments")
    rest = MemoryRest(PARTITIONS)
    rest.create(**CONFIG, shard_number=SHARDS)
    random = np.random.default_rng(BASE_SEED)
    for round_number in range(ROUNDS):
        some = random.permutation(len(POINTS))[: len(POINTS) // 2].tolist()
        rest.upsert(*({**point(at + 101), "id": at + 1} for at in some))
        rest.upsert({"id": 1000 + round_number, "vector": {"dot": Vectors("gone").of("dot")}})
        seal(rest, folder / f"before-{round_number}", merge=False)
        rest.upsert(*(POINTS[at] for at in some))
        delete: dict[str, Any] = {"points": [POINTS[at]["id"] for at in some[:6]] + [1000 + round_number]}
        rest.result("POST", f"{POINTS_PATH}/delete", params={"wait": "true"}, json=delete)
        seal(rest, folder / f"after-{round_number}", merge=round_number % 2 == 1)
    there = {each["id"] for each in rest.scroll(limit=1000)}
    rest.upsert(*(each for each in POINTS if each["id"] not in there))
    yield rest
    rest.close()


def seal(rest: MemoryRest, folder: Path, *, merge: bool) -> None:
    """Make segments of the tails, of all that there is if ``merge``."""
    for view in rest.node.views(rest.node.catalog.resolve("c")):
        _seal(rest.node.live(view.shard), folder / str(view.shard.shard), merge=merge)


def _seal(live: LiveShard, folder: Path, *, merge: bool) -> None:
    view = live.view
    removed = view.segments if merge else ()
    if not any(tail.alive_count for tail in view.tails) and not removed:
        return
    folder.mkdir(parents=True)
    with write_spill(folder / "spill") as writer:
        for tail in view.tails:
            for points in tail.live_points():
                writer.add_joined(tail.ids_at(points.rows), points.data, points.lengths)
    pieces = [(part.segment, np.flatnonzero(part.dead_mask()).tolist()) for part in removed]
    built = build(spec(folder / "segment", [str(folder / "spill")], pieces, configuration=view.config))
    live.replace(view, [part.segment for part in removed], [built] if built.size else [], tails_sealed=True)


def answers(rest: MemoryRest, asked: list[tuple[str, dict[str, Any]]]) -> dict[str, list[tuple[Any, float]]]:
    body = {"searches": [query for _, query in asked]}
    found = rest.result("POST", f"{POINTS_PATH}/query/batch", json=body)
    return {
        what: [(hit["id"], hit["score"]) for hit in each["points"]]
        for (what, _), each in zip(asked, found, strict=True)
    }


def test_they_are_spread(spread: MemoryRest) -> None:
    views = spread.node.views(spread.node.catalog.resolve("c"))
    assert len(views) == SHARDS
    assert sum(len(view.segments) for view in views) > SHARDS
    assert any(part.alive_count < part.size for view in views for part in view.segments)
    assert any(tail.alive_count for view in views for tail in view.tails)


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_the_same(name: str, plain: MemoryRest, spread: MemoryRest) -> None:
    asked = list(queries(name))[::EVERY]
    for start in range(0, len(asked), 50):
        some = asked[start : start + 50]
        assert answers(spread, some) == answers(plain, some)

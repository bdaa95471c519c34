"""How fast payloads are counted, paged, ordered, faceted and deleted by filter, beside Qdrant's own engine.

python -m bench.payload [--points N]

Both are in this process, hold the same points with indexes on all keys, and are asked the same by direct calls, in
turns; filters are new each time. What is measured is processor time of the whole process. Answers are compared, too.

Booleans are counted by facets alone: the peer's bindings take ``MatchValue(True)`` for the integer 1.
"""

import argparse
import asyncio
import importlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import numpy as np

from bench.engine import read
from bench.payload_data import CONFIG, DIM, TENANTS, TYPES, payloads
from ingest.log import Topic
from projector.fold.candidates import Candidates
from projector.frames import ShardId
from projector.segments.build import build_segment
from projector.segments.reader import Segment
from projector.segments.spec import BuildSpec
from projector.segments.spill import write_spill
from projector.state.store import PartitionState
from projector.view.follower import PartitionFollower
from projector.view.shard_view import ShardView
from projector.worker.partition_runner import PartitionRunner
from projector.worker.view_candidates import view_candidates
from query_api.combine.run import run
from query_api.plan.facet import Facet
from query_api.plan.leaves import Ordered, Scroll
from query_api.plan.selection import Selection
from query_api.plan.tree import Node, Plan
from schemas.filters import parse_filter
from schemas.ids import PointId, to_wire
from schemas.json_path import parse_path
from schemas.operations import DeletePoints, Upsert
from schemas.records import PointsRecord, ShardOpened, encode_record
from schemas.vectors.dense import DenseColumn
from tests.support.memory_log import MemoryLog

edge: Any = importlib.import_module("qdrant_edge")

SHARD = ShardId(1, 0)
BATCH = 1000
REPEATS = 30
PAGE = 10
HITS = Selection(with_payload=True)
Condition = dict[str, Any]
Ask = Callable[[Any], Any]


class Ours:
    """A shard folded from a log in memory, sealed into one segment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._log = MemoryLog()
        self._state = PartitionState.open(folder / "state", self._log.identity)
        self.follower = PartitionFollower(0, {}, -1)
        self._runner = PartitionRunner(self._log, 0, self._state, self.follower.on_frame, candidates=self._candidates)

    async def _candidates(self, record: PointsRecord, applied: int) -> Candidates:
        return await view_candidates(self.follower, record, applied)

    @property
    def view(self) -> ShardView:
        """The shard."""
        return self.follower.shards[SHARD].view

    def load(self, bodies: Sequence[bytes]) -> None:
        """Fold the points and build a segment of them."""
        opened = ShardOpened(seq=1, uid=1, shard=0, name="c", config=CONFIG, shard_map=[0])
        self._put(encode_record(opened))
        for start in range(0, len(bodies), BATCH):
            some = list(bodies[start : start + BATCH])
            ids = [to_wire(PointId(start + i)) for i in range(len(some))]
            column = DenseColumn(DIM, np.ones((len(some), DIM), "<f4").tobytes())
            self._put(encode_record(PointsRecord(uid=1, shard=0, ops=[Upsert(ids, {"": column}, some)])))
        self._loop.run_until_complete(self._catch_up())
        base, spill = self.view, self._folder / "spill"
        with write_spill(spill) as writer:
            for tail in base.tails:
                for points in tail.live_points():
                    writer.add_joined(tail.ids_at(points.rows), points.data, points.lengths)
        build_segment(BuildSpec(str(self._folder / "segment"), CONFIG, [str(spill)], []), lambda _: None)
        segment = Segment.open(self._folder / "segment")
        self.follower.shards[SHARD].replace(base, [], [segment], tails_sealed=True)

    def delete(self, condition: Condition) -> None:
        """Delete by filter, from the log to the view."""
        record = PointsRecord(uid=1, shard=0, ops=[DeletePoints(filter={"must": [condition]})])
        self._put(encode_record(record))
        self._loop.run_until_complete(self._catch_up())

    def count(self, condition: Condition) -> int:
        """How many points pass."""
        return read(self.view, lambda shards: shards.count(parse_filter({"must": [condition]})))

    def scroll(self, condition: Condition) -> list[int]:
        """The first points that pass."""
        return self._found(Scroll(limit=PAGE, filter=parse_filter({"must": [condition]})))

    def ordered(self, by: str, start: float | None) -> list[int]:
        """The first points in the order of a key."""
        kind: Any = TYPES[by]
        return self._found(Ordered(limit=PAGE, by=parse_path(by), data_type=kind, start_from=start))

    def facet(self, by: str, condition: Condition | None) -> Mapping[Any, int]:
        """How many points have each value."""
        kind: Any = TYPES[by]
        filter = None if condition is None else parse_filter({"must": [condition]})
        return read(self.view, lambda shards: shards.facet(Facet(by=parse_path(by), data_type=kind, filter=filter)))

    def close(self) -> None:
        """Let go of the state."""
        self._state.close()
        self._loop.close()

    def _found(self, leaf: Node) -> list[int]:
        async def ask(shards: Any) -> Any:
            return await shards.fetch(await run(shards, Plan(leaf, 0, HITS)), HITS)

        return [int(point.id) for point in read(self.view, ask)]

    def _put(self, value: bytes) -> None:
        self._log.put(Topic.POINTS, 0, value)

    async def _catch_up(self) -> None:
        await self._runner.catch_up(await self._log.end_offset(Topic.POINTS, 0))


class Theirs:
    """The same in Qdrant's engine."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        # Without a graph, which takes minutes with so many indexes: nothing here asks for the nearest.
        hnsw = edge.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10)
        config = edge.EdgeConfig(
            wal_enabled=False, hnsw_config=hnsw, vectors=edge.EdgeVectorParams(size=DIM, distance=edge.Distance.Dot)
        )
        self._shard = edge.EdgeShard.create(str(folder), config)

    def load(self, bodies: Sequence[dict[str, Any]]) -> None:
        """Upsert the points, declare the indexes, build what it builds."""
        for start in range(0, len(bodies), BATCH):
            some = bodies[start : start + BATCH]
            points = [edge.Point(id=start + i, vector=[1.0] * DIM, payload=body) for i, body in enumerate(some)]
            self._shard.update(edge.UpdateOperation.upsert_points(points))
        for key, kind in TYPES.items():
            schema = getattr(edge.PayloadSchemaType, kind.capitalize())
            self._shard.update(edge.UpdateOperation.create_field_index(key, schema))
        self._shard.optimize()

    def delete(self, condition: Condition) -> None:
        """Delete by filter."""
        self._shard.update(edge.UpdateOperation.delete_points_by_filter(_filter(condition)))

    def count(self, condition: Condition) -> int:
        """How many points pass."""
        return self._shard.count(edge.CountRequest(exact=True, filter=_filter(condition)))

    def scroll(self, condition: Condition) -> list[int]:
        """The first points that pass."""
        request = edge.ScrollRequest(limit=PAGE, filter=_filter(condition), with_payload=True)
        return [int(record.id) for record in self._shard.scroll(request)[0]]

    def ordered(self, by: str, start: float | None) -> list[int]:
        """The first points in the order of a key."""
        order = edge.OrderBy(by, start_from=start)
        request = edge.ScrollRequest(limit=PAGE, with_payload=True, order_by=order)
        return [int(record.id) for record in self._shard.scroll(request)[0]]

    def facet(self, by: str, condition: Condition | None) -> dict[Any, int]:
        """How many points have each value."""
        filter = None if condition is None else _filter(condition)
        hits = self._shard.facet(edge.FacetRequest(by, limit=1 << 20, exact=True, filter=filter)).hits
        return {hit.value: hit.count for hit in hits}

    def close(self) -> None:
        """Let go of its files."""
        self._shard.close()


def _filter(condition: Condition) -> Any:
    test: dict[str, Any]
    match condition:
        case {"key": key, "match": {"value": value}}:
            test = {"match": edge.MatchValue(value)}
        case {"key": key, "match": {"text": text}}:
            test = {"match": edge.MatchText(text)}
        case {"key": key, "range": bounds}:
            kind = edge.RangeDateTime if isinstance(next(iter(bounds.values())), str) else edge.RangeFloat
            test = {"range": kind(**bounds)}
        case {"key": key, "geo_radius": {"center": center, "radius": radius}}:
            test = {"geo_radius": edge.GeoRadius(edge.GeoPoint(center["lon"], center["lat"]), radius)}
        case {"key": key, "values_count": bounds}:
            test = {"values_count": edge.ValuesCount(**bounds)}
        case {"is_empty": {"key": key}}:
            return edge.Filter(must=[edge.IsEmptyCondition(key)])
        case _:
            raise ValueError(condition)
    return edge.Filter(must=[edge.FieldCondition(key, **test)])


CONDITIONS: dict[str, Callable[[int], Condition]] = {
    "keyword, 10 points": lambda i: {"key": "tenant", "match": {"value": f"tenant-{i}"}},
    "keyword, 10 %": lambda i: {"key": "color", "match": {"value": f"color-{i % 10}"}},
    "keyword in arrays, 0.6 %": lambda i: {"key": "tags", "match": {"value": f"tag-{i}"}},
    "integer range, 0.1 %": lambda i: {"key": "rank", "range": {"gte": i * 100, "lt": i * 100 + 200}},
    "integer range, 10 %": lambda i: {"key": "share", "range": {"gte": i, "lt": i + 100}},
    "float range, 1 %": lambda i: {"key": "price", "range": {"gte": i * 10.0, "lt": i * 10.0 + 10}},
    "datetime range, 6 %": lambda i: {
        "key": "at",
        "range": {
            "gte": f"20{10 + i % 16}-01-0{1 + i // 16}T00:00:00Z",
            "lt": f"20{11 + i % 16}-01-0{1 + i // 16}T00:00:00Z",
        },
    },
    "uuid, 1 point": lambda i: {"key": "uid", "match": {"value": UIDS[i]}},
    "text, two words, 1.8 %": lambda i: {"key": "title", "match": {"text": f"alpha {WORDS[i]}"}},
    "text, one word of 40 points": lambda i: {"key": "title", "match": {"text": f"{i}"}},
    "geo radius, 0.04 %": lambda i: {
        "key": "place",
        "geo_radius": {"center": {"lon": i * 5.0, "lat": i}, "radius": 2e5},
    },
    "geo radius, 1.2 %": lambda i: {
        "key": "place",
        "geo_radius": {"center": {"lon": i * 5.0, "lat": i}, "radius": 1e6},
    },
    "is_empty, 98 %": lambda i: {"is_empty": {"key": "note"}},
    "values_count, all": lambda i: {"key": "tags", "values_count": {"gte": 3, "lt": 4 + i}},
}
UIDS: list[str] = []
WORDS: list[str] = []


@dataclass(frozen=True)
class Row:
    """One kind of request."""

    name: str
    ask: Callable[[Any, int], Any]
    same: bool = True


def rows() -> list[Row]:
    """What is measured."""
    found = [
        Row("order_by integer", lambda s, i: s.ordered("rank", i * 1000)),
        Row("order_by float", lambda s, i: s.ordered("price", i * 10.0)),
        Row("facet of 10 keywords", lambda s, i: s.facet("color", None)),
        Row("facet of 500 keywords, arrays", lambda s, i: s.facet("tags", None)),
        Row("facet of 20,000 keywords", lambda s, i: s.facet("tenant", None)),
        Row("facet of 1,000 integers", lambda s, i: s.facet("share", None)),
        Row("facet of booleans", lambda s, i: s.facet("active", None)),
        Row("facet of 500 keywords, 1 % pass", lambda s, i: s.facet("tags", CONDITIONS["float range, 1 %"](i))),
        Row("facet of 10 keywords, 10 points pass", lambda s, i: s.facet("color", CONDITIONS["keyword, 10 points"](i))),
        Row(
            "delete: keyword, 10 points",
            lambda s, i: s.delete({"key": "tenant", "match": {"value": f"tenant-{TENANTS // 2 + i}"}}),
        ),
        Row(
            "delete: integer range, 200 points",
            lambda s, i: s.delete({"key": "rank", "range": {"gte": 100_000 + i * 200, "lt": 100_200 + i * 200}}),
        ),
    ]
    found += [Row(f"count: {name}", lambda s, i, c=c: s.count(c(i))) for name, c in CONDITIONS.items()]
    found += [Row(f"scroll: {name}", lambda s, i, c=c: s.scroll(c(i))) for name, c in CONDITIONS.items()]
    return found


def measure(row: Row, ours: Ours, theirs: Theirs) -> tuple[float, float, bool]:
    """The median microseconds of processor time of both, in turns, and whether their answers were the same."""
    times: tuple[list[float], list[float]] = ([], [])
    same = True
    for i in range(REPEATS):
        answers: list[Any] = []
        for side, spent in zip((ours, theirs), times, strict=True):
            began = time.process_time()
            answers.append(row.ask(side, i))
            spent.append((time.process_time() - began) * 1e6)
        same = same and answers[0] == answers[1]
    return median(times[0]), median(times[1]), same


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.payload")
    parser.add_argument("--points", type=int, default=200_000)
    parser.add_argument("--only", nargs="*", default=[""], help="rows whose name begins so")
    options = parser.parse_args()
    bodies = payloads(options.points)
    UIDS[:] = [body["uid"] for body in bodies[: REPEATS * 7 : 7]]
    WORDS[:] = [body["title"].split()[1] for body in bodies[:REPEATS]]
    with tempfile.TemporaryDirectory(prefix="headwater-payload-") as folder:
        began = time.perf_counter()
        ours = Ours(Path(folder))
        ours.load([msgspec.json.encode(body) for body in bodies])
        loaded = time.perf_counter()
        theirs = Theirs(Path(folder) / "edge")
        theirs.load(bodies)
        print(f"loaded in {loaded - began:.0f} s and {time.perf_counter() - loaded:.0f} s")
        print("| p50 of 30 | Headwater | qdrant-edge | ratio | |\n|---|---|---|---|---|")
        for row in rows():
            if row.name.startswith(tuple(options.only)):
                own, peer, same = measure(row, ours, theirs)
                note = "" if same else "answers differ"
                print(f"| {row.name} | {own:,.0f} us | {peer:,.0f} us | {own / peer:.2f} | {note} |", flush=True)
        ours.close()
        theirs.close()


if __name__ == "__main__":
    main()

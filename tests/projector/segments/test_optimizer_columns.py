"""What is declared of a payload key after segments were built gets into their columns in the background."""

from pathlib import Path

import msgspec
import pytest

from projector.segments.reader import Segment
from schemas.config import OptimizersConfig
from schemas.filters import parse_filter
from schemas.matching import bind
from schemas.payload_index import KeywordIndex, PayloadIndex, PayloadIndexes, TextIndex, UuidIndex
from tests.projector.segments.harness import SHARD, Harness, run
from tests.projector.segments.samples import COSINE, EUCLID, config

TEXT: PayloadIndexes = {"city": PayloadIndex(TextIndex())}
NO_GRAPHS = config(optimizers=OptimizersConfig(indexing_threshold=0))


def declare(harness: Harness, indexes: PayloadIndexes) -> None:
    changed = msgspec.structs.replace(harness.live.view.config, payload_indexes=indexes)
    harness.offset += 1
    harness.config = changed
    harness.live.reconfigure(changed, harness.offset)
    harness.live.publish(harness.offset)


def only_segment(harness: Harness) -> Segment:
    (part,) = harness.live.view.segments
    return part.segment


def inodes(segment: Segment) -> list[int]:
    return [(segment.folder / v.graph.file).stat().st_ino for v in segment.meta.vectors if v.graph]


def finds_tokens(segment: Segment, indexes: PayloadIndexes) -> bool:
    """Whether the columns alone say where a token is."""
    meant = bind(parse_filter({"must": [{"key": "city", "match": {"text": "c1"}}]}), indexes)
    return segment.select(meant).exact


@pytest.mark.parametrize("quantized", [None, {"scalar": {"type": "int8"}}], ids=["plain", "quantized"])
def test_a_segment_keeps_its_graphs_and_its_dead_slots(tmp_path: Path, quantized: dict[str, object] | None) -> None:
    async def main() -> None:
        first = config(optimizers=OptimizersConfig(indexing_threshold=1, deleted_threshold=0.9))
        harness = Harness(tmp_path, msgspec.structs.replace(first, quantization=quantized))
        harness.upsert(range(1, 1000))
        await harness.settle()
        harness.delete(range(1, 50))
        harness.upsert(range(50, 60))
        await harness.step()
        before = only_segment(harness)
        links = inodes(before)
        assert len(links) == 2
        declare(harness, TEXT)
        assert before.columns.lack(TEXT)
        assert not harness.optimizer.up_to_date(SHARD)

        async def changed_meanwhile(_: object) -> None:
            harness.delete(range(60, 70))

        harness.builder.before = changed_meanwhile
        while await harness.step():
            harness.builder.before = None
        after = next(p.segment for p in harness.live.view.segments if p.segment.meta.indexed)
        assert after.name != before.name
        assert not before.folder.exists()
        assert after.size == before.size
        assert inodes(after) == links
        assert [v.quantized for v in after.meta.vectors] == [v.quantized for v in before.meta.vectors]
        for name in (COSINE, EUCLID):
            graph = after.graph(name)
            assert graph is not None
            assert (graph.codes is not None) == (quantized is not None)
        assert finds_tokens(after, TEXT)
        assert harness.optimizer.up_to_date(SHARD)
        after.check()
        harness.check()
        harness.restart()
        harness.check()

    run(main())


@pytest.mark.parametrize(
    ("declared", "due"),
    [
        (TEXT, True),
        ({"city": PayloadIndex(UuidIndex())}, True),
        ({"nothing": PayloadIndex(TextIndex())}, False),
        ({"city": PayloadIndex(KeywordIndex())}, False),
    ],
    ids=["text", "uuid", "of nothing", "keyword"],
)
def test_what_makes_columns_due(tmp_path: Path, declared: PayloadIndexes, due: bool) -> None:
    async def main() -> None:
        harness = Harness(tmp_path, NO_GRAPHS)
        harness.upsert(range(1, 100))
        await harness.settle()
        declare(harness, declared)
        assert harness.optimizer.up_to_date(SHARD) is not due
        builds = len(harness.builder.specs)
        await harness.settle()
        assert len(harness.builder.specs) - builds == due
        assert harness.optimizer.up_to_date(SHARD)
        harness.check()

    run(main())


def test_an_index_that_is_dropped_or_kept_elsewhere_makes_nothing_due(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path, msgspec.structs.replace(NO_GRAPHS, payload_indexes=TEXT))
        harness.upsert(range(1, 100))
        await harness.settle()
        segment = only_segment(harness)
        on_disk: PayloadIndexes = {"city": PayloadIndex(TextIndex(on_disk=True))}
        for indexes in ({}, on_disk, TEXT):
            declare(harness, indexes)
            await harness.settle()
            assert only_segment(harness) is segment
        assert finds_tokens(segment, on_disk)

    run(main())


def test_one_segment_at_a_time(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path, NO_GRAPHS)
        for start in (1, 100, 200):
            harness.upsert(range(start, start + 50))
            harness.tick(4)
            harness.upsert([1000])
            harness.tick(2)
            await harness.step()
        names = harness.plain
        assert len(names) == 3
        declare(harness, TEXT)
        specs = len(harness.builder.specs)
        while await harness.step():
            pass
        assert [[Path(p.folder).name for p in s.segments] for s in harness.builder.specs[specs:]] == [
            [n] for n in names
        ]
        assert harness.optimizer.up_to_date(SHARD)
        harness.check()

    run(main())

"""What the optimizer does when a collection's settings change."""

from pathlib import Path

import msgspec

from projector.quantization.codes import wanted_meta
from schemas.config import HnswConfig, OptimizersConfig
from tests.projector.segments.harness import SHARD, Harness, run
from tests.projector.segments.samples import COSINE, EUCLID, config


def test_other_graph_parameters_build_graphs_anew(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(1, 1000))
        await harness.settle()
        before = harness.graphs
        changed = config(hnsw=HnswConfig(m=8), optimizers=OptimizersConfig(indexing_threshold=1))
        harness.live.reconfigure(changed, harness.offset)
        harness.live.publish(harness.offset)
        await harness.settle()
        assert harness.graphs != before
        assert [v.graph.m for v in harness.live.view.segments[0].segment.meta.vectors if v.graph] == [8, 8]
        without = config(hnsw=HnswConfig(m=0), optimizers=OptimizersConfig(indexing_threshold=1))
        harness.live.reconfigure(without, harness.offset)
        harness.live.publish(harness.offset)
        await harness.settle()
        assert harness.graphs == []
        harness.check()

    run(main())


def test_other_quantization_makes_codes_anew(tmp_path: Path) -> None:
    async def main() -> None:
        harness = Harness(tmp_path)
        harness.upsert(range(1, 1000))
        await harness.settle()
        for settings in ({"scalar": {"type": "int8"}}, {"scalar": {"type": "int8", "always_ram": True}}, None):
            before = harness.graphs
            assert harness.optimizer.up_to_date(SHARD)
            changed = msgspec.structs.replace(harness.live.view.config, quantization=settings)
            harness.live.reconfigure(changed, harness.offset)
            harness.live.publish(harness.offset)
            assert not harness.optimizer.up_to_date(SHARD)
            await harness.settle()
            assert harness.graphs != before
            segment = harness.live.view.segments[0].segment
            assert [v.quantized for v in segment.meta.vectors] == [wanted_meta(changed, n) for n in (COSINE, EUCLID)]
            assert (segment.meta.vectors[0].quantized is not None) == (settings is not None)
            for name in (COSINE, EUCLID):
                graph = segment.graph(name)
                assert graph is not None
                assert (graph.codes is not None) == (settings is not None)
            harness.check()

    run(main())

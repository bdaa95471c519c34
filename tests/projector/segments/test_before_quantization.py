"""Segments that a release wrote before there was quantization: they open, search, and are built anew with codes."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from projector.segments.flat_file import FlatFile
from projector.segments.reader import Segment
from projector.segments.shard_work import is_stale
from projector.vectors.dense import DenseVectors
from schemas.config import CollectionConfig, Distance, HnswConfig, OptimizersConfig, VectorParams
from tests.projector.segments.samples import build, spec
from tests.releases.archive import Release

PLAIN = CollectionConfig(
    vectors={"": VectorParams(8, Distance.COSINE)},
    hnsw=HnswConfig(full_scan_threshold=10),
    optimizers=OptimizersConfig(indexing_threshold=1),
)
QUANTIZED = msgspec.structs.replace(PLAIN, quantization={"scalar": {"type": "int8", "always_ram": True}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with a graph."""
    release = Release("fold-4", tmp_path_factory.mktemp("release"))
    graphs = sorted(release.data.glob("snapshots/monday/*/shards/*/*/graph.0.*"))
    return graphs[0].parent


def found(segment: Segment) -> int:
    """Of how many rows of a hundred a walk finds the vector: another row may have the same."""
    vectors, graph = segment.vectors(""), segment.graph("")
    assert isinstance(vectors, DenseVectors)
    assert graph is not None
    matrix = vectors.matrix
    return sum(np.array_equal(matrix[graph.search(row, 1, 64).rows[0]], row) for row in matrix[:100])


def test_it_opens_whole_and_is_walked(folder: Path) -> None:
    directory = FlatFile(folder / "segment.flat", "segment").directory
    assert not any(name.startswith(("codes", "quantizer")) for name in directory.sections)
    segment = Segment.open(folder)
    segment.check()
    segment.check_graphs()
    assert found(segment) == 100
    assert [vector.quantized for vector in segment.meta.vectors] == [None]
    assert not segment.damaged_graphs


def test_it_is_built_anew_where_codes_are_wanted(folder: Path, tmp_path: Path) -> None:
    before = Segment.open(Path(shutil.copytree(folder, tmp_path / "before")))
    assert is_stale(before, QUANTIZED)
    built = build(spec(tmp_path / "after", segments=[(before, [])], graph=True, configuration=QUANTIZED))
    after = Segment.open(built.folder)
    assert not is_stale(after, QUANTIZED)
    assert is_stale(after, PLAIN)
    assert found(after) == 100
    assert after.size == before.size
    old, new = before.vectors(""), after.vectors("")
    assert isinstance(old, DenseVectors)
    assert isinstance(new, DenseVectors)
    assert np.array_equal(old.matrix, new.matrix)

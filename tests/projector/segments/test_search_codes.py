"""Search codes in segments: which have them, what becomes of them, and what is done about damage."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from projector.quantization.growing_codes import GrowingCodes
from projector.quantization.search_codes import SearchCodes
from projector.segments import reader
from projector.segments.build import build_segment
from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile
from projector.segments.meta import SearchCodesMeta, VectorMeta
from projector.segments.reader import Segment
from projector.segments.spec import BuildSpec, SegmentPiece, pack_mask
from projector.segments.spill import write_spill
from projector.vectors.dense import DenseVectors
from schemas.config import CollectionConfig, Distance, HnswConfig, OptimizersConfig, VectorParams
from schemas.ids import PointId
from schemas.points import encode_point
from schemas.vectors.params import Datatype
from tests.projector.segments.test_damage import flip

DIM, ROWS = 40, 1500


def configured(
    distance: Distance = Distance.COSINE,
    datatype: Datatype = Datatype.FLOAT32,
    dim: int = DIM,
    quantization: dict[str, object] | None = None,
) -> CollectionConfig:
    return CollectionConfig(
        vectors={"": VectorParams(dim, distance, datatype=datatype)},
        hnsw=HnswConfig(full_scan_threshold=10),
        optimizers=OptimizersConfig(indexing_threshold=1),
        quantization=quantization,
    )


def matrix(rows: int = ROWS, dim: int = DIM) -> NDArray[np.float32]:
    return np.random.default_rng(rows).standard_normal((rows, dim)).astype(np.float32)


def build(
    folder: Path, config: CollectionConfig, values: NDArray[np.float32] | None = None, *, graph: bool = True
) -> Segment:
    rows = matrix() if values is None else values
    params = config.vectors[""]
    stored = rows.astype(np.float16) if params.datatype is Datatype.FLOAT16 else rows
    if params.datatype is Datatype.UINT8:
        stored = np.abs(rows).astype(np.uint8)
    spilled = folder.with_suffix(".spill")
    with write_spill(spilled) as writer:
        writer.add(
            [PointId(i) for i in range(len(rows))], [encode_point(1, [(0, row.tobytes())], b"") for row in stored]
        )
    build_segment(BuildSpec(str(folder), config, [str(spilled)], [], graph, threads=1), lambda _: None)
    return Segment.open(folder)


def meta_of(segment: Segment) -> VectorMeta:
    (vector,) = segment.meta.vectors
    return vector


def vectors_of(segment: Segment) -> DenseVectors:
    vectors = segment.vectors("")
    assert isinstance(vectors, DenseVectors)
    return vectors


def codes_of(segment: Segment) -> SearchCodes | None:
    codes = vectors_of(segment).codes
    assert not isinstance(codes, GrowingCodes)
    return codes


@pytest.mark.parametrize("distance", [Distance.COSINE, Distance.DOT, Distance.EUCLID])
@pytest.mark.parametrize("datatype", [Datatype.FLOAT32, Datatype.FLOAT16])
def test_a_graph_is_walked_by_them(tmp_path: Path, distance: Distance, datatype: Datatype) -> None:
    segment = build(tmp_path / "s", configured(distance, datatype))
    assert meta_of(segment).search_codes == SearchCodesMeta(walked=True)
    graph, codes = segment.graph(""), codes_of(segment)
    assert graph is not None
    assert codes is not None
    assert graph.search_codes is not None
    assert vectors_of(segment).search_codes() is codes.kernel
    segment.check()
    rows = vectors_of(segment).matrix
    for row in range(0, ROWS, 50):
        query = rows[row].astype(np.float32)
        prepared = codes.kernel.query(query)
        assert prepared is not None
        walk = graph.search(prepared.bytes, 5, 100, coded=True)
        found, _ = graph.rescoring.nearest(walk.rows, walk.distances, query, 5, None, prepared)
        by_vectors = graph.search(query, 5, 100)
        right, _ = graph.rescoring.nearest(by_vectors.rows, by_vectors.distances, query, 5)
        assert len(set(found.tolist()) & set(right.tolist())) >= 4


def test_without_a_graph_there_are_some_for_scans(tmp_path: Path) -> None:
    segment = build(tmp_path / "s", configured(), graph=False)
    assert meta_of(segment).search_codes == SearchCodesMeta(walked=False)
    assert codes_of(segment) is not None


@pytest.mark.parametrize(
    ("config", "rows", "factor"),
    [
        (configured(dim=16), ROWS, 1.0),
        (configured(), 1000, 1.0),
        (configured(datatype=Datatype.UINT8, distance=Distance.DOT), ROWS, 50.0),
        (configured(Distance.MANHATTAN), ROWS, 1.0),
        (configured(Distance.DOT), ROWS, 1e20),
        (configured(quantization={"scalar": {"type": "int8"}}), ROWS, 1.0),
    ],
    ids=["short", "few", "bytes", "manhattan", "large", "quantized"],
)
def test_where_there_are_none(tmp_path: Path, config: CollectionConfig, rows: int, factor: float) -> None:
    segment = build(tmp_path / "s", config, matrix(rows, config.vectors[""].size) * np.float32(factor))
    assert meta_of(segment).search_codes is None
    assert codes_of(segment) is None
    assert vectors_of(segment).search_codes() is None
    assert not segment.sections("search_code")


def test_what_is_quantized_has_some_until_it_has_a_graph(tmp_path: Path) -> None:
    config = configured(quantization={"scalar": {"type": "int8"}})
    assert codes_of(build(tmp_path / "s", config, graph=False)) is not None


def test_walks_are_by_vectors_where_codes_do_not_lead_as_far(tmp_path: Path) -> None:
    # Two values that decide little are so large that a byte tells nothing of the others.
    rows = matrix(3000)
    rows[:, :2] = np.random.default_rng(5).choice(np.array([-1e5, 1e5], np.float32), (len(rows), 2))
    segment = build(tmp_path / "s", configured(Distance.EUCLID), rows)
    assert segment.graph("") is not None
    assert meta_of(segment).search_codes == SearchCodesMeta(walked=False)


def test_walks_are_by_vectors_where_codes_do_not_lead_as_far_to_few_rows_far_from_all_others(tmp_path: Path) -> None:
    rows = matrix(3000)
    rows[:120] = rows[:120] * 1e-3 + 20
    segment = build(tmp_path / "s", configured(Distance.EUCLID), rows)
    assert segment.graph("") is not None
    assert meta_of(segment).search_codes == SearchCodesMeta(walked=False)


def test_many_that_are_equally_near_do_not_make_up_for_what_codes_do_not_lead_to(tmp_path: Path) -> None:
    rows = matrix(3000)
    rows[:600, 0] += np.random.default_rng(6).choice(np.array([-3e4, 3e4], np.float32), 600)
    segment = build(tmp_path / "s", configured(Distance.COSINE), rows)
    assert segment.graph("") is not None
    assert meta_of(segment).search_codes == SearchCodesMeta(walked=False)


def test_a_segment_that_is_written_anew_keeps_them(tmp_path: Path) -> None:
    config = configured()
    segment = build(tmp_path / "s", config)
    piece = SegmentPiece(str(segment.folder), pack_mask(np.zeros(segment.size, np.bool_)))
    build_segment(BuildSpec(str(tmp_path / "t"), config, [], [piece], keep=True), lambda _: None)
    after = Segment.open(tmp_path / "t")
    assert meta_of(after) == meta_of(segment)
    before_codes, after_codes = codes_of(segment), codes_of(after)
    assert before_codes is not None
    assert after_codes is not None
    assert np.array_equal(before_codes.rows, after_codes.rows)


@pytest.mark.parametrize("name", ["search_codes.0", "search_code_scale.0"])
@pytest.mark.parametrize("at_once", [True, False])
def test_damage_is_noticed_when_it_is_opened(
    tmp_path: Path, name: str, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_once:
        monkeypatch.setattr(reader, "CHECKED_AT_ONCE", 0)
    segment = build(tmp_path / "s", configured())
    path = segment.folder / "segment.flat"
    section = FlatFile(path, "segment").directory.sections[name]
    flip(path, section.offset + section.length // 2)
    with pytest.raises(SegmentDamagedError, match=name):
        Segment.open(segment.folder)

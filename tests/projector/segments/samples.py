"""Points to build segments from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from projector.segments.build import build_segment
from projector.segments.reader import Segment
from projector.segments.spec import BuildResult, BuildSpec, SegmentPiece, pack_mask
from projector.segments.spill import write_spill
from schemas.config import CollectionConfig, Distance, HnswConfig, OptimizersConfig, VectorParams
from schemas.ids import UUID_BASE, PointId
from schemas.points import encode_point

COSINE, EUCLID = "a", "b"
DIMS = {COSINE: 4, EUCLID: 3}


def config(
    hnsw: HnswConfig | None = None, optimizers: OptimizersConfig | None = None, manhattan: bool = False
) -> CollectionConfig:
    distances = {COSINE: Distance.COSINE, EUCLID: Distance.MANHATTAN if manhattan else Distance.EUCLID}
    vectors = {name: VectorParams(size=DIMS[name], distance=distances[name]) for name in DIMS}
    return CollectionConfig(vectors=vectors, hnsw=hnsw or HnswConfig(), optimizers=optimizers or OptimizersConfig())


@dataclass(frozen=True)
class Sample:
    """A point: its vectors by name, as given."""

    version: int
    vectors: Mapping[str, Sequence[float]]
    payload: bytes = b""

    def stored(self) -> bytes:
        names = list(DIMS)
        vectors = [(names.index(n), np.array(v, np.float32).tobytes()) for n, v in sorted(self.vectors.items())]
        return encode_point(self.version, vectors, self.payload)


def uuid(number: int) -> PointId:
    return PointId(UUID_BASE + number)


def sample(number: int, version: int = 1) -> Sample:
    """A point of its own for every number: most have both vectors, some one or none, some no payload."""
    rng = np.random.default_rng(number * 1000 + version)
    vectors = {name: rng.standard_normal(dim).astype(np.float32).tolist() for name, dim in DIMS.items()}
    if number % 5 == 0:
        del vectors[EUCLID]
    if number % 11 == 0:
        vectors.pop(COSINE)
    payload = b"" if number % 7 == 0 else b'{"n":%d,"city":"c%d","tags":["x","t%d"]}' % (number, number % 3, version)
    return Sample(version, vectors, payload)


def samples(ids: Sequence[PointId], version: int = 1) -> dict[PointId, Sample]:
    return {i: sample(int(i) % 100_003, version) for i in ids}


def spill(path: Path, points: Mapping[PointId, Sample]) -> str:
    with write_spill(path) as writer:
        writer.add(list(points), [p.stored() for p in points.values()])
    return str(path)


def spec(
    target: Path,
    spills: Sequence[str] = (),
    segments: Sequence[tuple[Segment, Sequence[int]]] = (),
    graph: bool = False,
    configuration: CollectionConfig | None = None,
) -> BuildSpec:
    """``segments`` with the dead slots of each."""
    pieces: list[SegmentPiece] = []
    for segment, dead in segments:
        mask = np.zeros(segment.size, np.bool_)
        mask[list(dead)] = True
        pieces.append(SegmentPiece(str(segment.folder), pack_mask(mask)))
    return BuildSpec(str(target), configuration or config(), list(spills), pieces, graph, threads=1)


def build(wanted: BuildSpec) -> Segment:
    result: BuildResult = build_segment(wanted, lambda fraction: None)
    segment = Segment.open(Path(wanted.target))
    assert segment.size == result.slots
    return segment


def segment_of(folder: Path, points: Mapping[PointId, Sample], graph: bool = False) -> Segment:
    source = spill(folder.with_suffix(".spill"), points)
    return build(spec(folder, [source], graph=graph))

"""Which kind a name's vectors in parts are of."""

from typing import Any

from projector.segments.flat_file import FlatFile
from projector.segments.meta import MULTI, SPARSE, VectorMeta
from projector.vectors.dense import DensePartKind
from projector.vectors.kind import PartKind, Slots, Vectors
from projector.vectors.multi import MultiPartKind
from projector.vectors.sparse import SparsePartKind
from schemas.vectors.params import AnyVectorParams, MultivectorConfig, SparseVectorParams, VectorParams


def part_kind(params: AnyVectorParams) -> PartKind[Any]:
    """The kind of a name with these parameters."""
    if isinstance(params, SparseVectorParams):
        return SparsePartKind(params)
    return DensePartKind(params) if params.multivector_config is None else MultiPartKind(params)


def open_vectors(file: FlatFile, meta: VectorMeta, slots: Slots | None) -> Vectors:
    """What a segment holds of one name. Raises SegmentDamagedError when its sections don't fit."""
    return part_kind(_params(meta)).opened(file, meta, slots)


def _params(meta: VectorMeta) -> AnyVectorParams:
    if meta.kind == SPARSE:
        return SparseVectorParams()
    multi = MultivectorConfig() if meta.kind == MULTI else None
    return VectorParams(meta.dim, meta.distance, datatype=meta.datatype, multivector_config=multi)

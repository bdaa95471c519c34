"""Which kind a name is of, and the columns of all kinds."""

from schemas.vectors.dense import DenseColumn, DenseKind
from schemas.vectors.multi import MultiColumn, MultiKind
from schemas.vectors.params import AnyVectorParams, SparseVectorParams
from schemas.vectors.sparse import SparseColumn, SparseKind

VectorColumn = DenseColumn | SparseColumn | MultiColumn
"""One named vector of many points; its kind is told by the tag ``kind``."""
AnyKind = DenseKind | SparseKind | MultiKind


def kind_of(params: AnyVectorParams) -> AnyKind:
    """The kind of a name with these parameters."""
    if isinstance(params, SparseVectorParams):
        return SparseKind(params)
    return DenseKind(params) if params.multivector_config is None else MultiKind(params)


_USUAL_PAIRS = 64
_USUAL_VECTORS = 16


def usual_numbers(params: AnyVectorParams) -> int:
    """How many numbers a value has: always, of a dense one; about, where that differs from value to value."""
    if isinstance(params, SparseVectorParams):
        return _USUAL_PAIRS
    return params.size if params.multivector_config is None else params.size * _USUAL_VECTORS

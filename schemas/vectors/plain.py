"""Collections that have the unnamed vector only, of plain float32: most have, so their points are read many at once."""

from schemas.config import UNNAMED, CollectionConfig
from schemas.vectors.dense import DenseKind
from schemas.vectors.params import Datatype


def only_plain(config: CollectionConfig) -> DenseKind | None:
    """The unnamed vector's kind, where it is all a collection has and its numbers are stored as they come."""
    if config.vectors.keys() != {UNNAMED} or config.sparse_vectors:
        return None
    kind = config.kinds[UNNAMED]
    return kind if isinstance(kind, DenseKind) and kind.datatype is Datatype.FLOAT32 else None

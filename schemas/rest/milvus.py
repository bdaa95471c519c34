"""Milvus's parameters of a collection, and what they are here (docs/moving-in.md)."""

from typing import Any, Literal

import msgspec

from schemas.errors import BadInputError
from schemas.index_config import OptimizersConfig
from schemas.vectors.params import Distance, VectorParams

_DISTANCES = {"L2": Distance.EUCLID, "IP": Distance.DOT, "COSINE": Distance.COSINE}
_BINARY = ("HAMMING", "JACCARD", "TANIMOTO", "SUBSTRUCTURE", "SUPERSTRUCTURE")
_KB = 1024
MAX_MB = 4096
DEFAULT_MB = 1024

Metric = Literal["L2", "IP", "COSINE", "HAMMING", "JACCARD", "TANIMOTO", "SUBSTRUCTURE", "SUPERSTRUCTURE"]


class MilvusParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Those of a new collection; the size of a segment is in MB."""

    collection_name: str | None = None
    dimension: int | None = None
    index_file_size: int | None = None
    metric_type: Metric | None = None

    @property
    def milvus(self) -> bool:
        """Whether any of them is given."""
        return any(value is not None for value in (self.dimension, self.index_file_size, self.metric_type))

    def check_milvus(self, collection: str) -> None:
        """Raise BadInputError for parameters that don't make a collection named ``collection``."""
        if self.collection_name is not None and self.collection_name != collection:
            raise BadInputError(
                f"Wrong input: collection_name: the body names `{self.collection_name}`, the path `{collection}`"
            )
        if not self.milvus:
            return
        if self.dimension is None or self.metric_type is None:
            raise BadInputError("Wrong input: give `dimension` and `metric_type` together")
        if self.metric_type in _BINARY:
            raise BadInputError(
                f"Wrong input: metric_type: {self.metric_type} compares binary vectors, and there are none"
            )
        if self.index_file_size is not None and not 1 <= self.index_file_size <= MAX_MB:
            raise BadInputError(f"Wrong input: index_file_size: expected 1 to {MAX_MB} MB, got {self.index_file_size}")

    def milvus_vector(self) -> VectorParams:
        """The unnamed vector, where ``check_milvus`` found the parameters good."""
        return VectorParams(self.dimension or 0, _DISTANCES[self.metric_type or ""])

    def milvus_optimizers(self, given: OptimizersConfig) -> OptimizersConfig:
        """The optimizer settings with the size of segments. Raises BadInputError where both name one."""
        if given.max_segment_size is not None:
            raise BadInputError("Wrong input: give one of `index_file_size` and `optimizers_config.max_segment_size`")
        return msgspec.structs.replace(given, max_segment_size=(self.index_file_size or DEFAULT_MB) * _KB)


class MilvusChange(msgspec.Struct, frozen=True, kw_only=True):
    """Those that a change of a collection may name, to be told that they don't change."""

    dimension: Any = msgspec.UNSET
    index_file_size: Any = msgspec.UNSET
    metric_type: Any = msgspec.UNSET

    def check_milvus(self) -> None:
        """Raise BadInputError where any is named."""
        for name in ("metric_type", "index_file_size", "dimension"):
            if getattr(self, name) is not msgspec.UNSET:
                raise fixed(name)


def fixed(name: str) -> BadInputError:
    """What there is to say of a parameter that never changes."""
    return BadInputError(f"Wrong input: {name} can't be changed after a collection was created: create another one")

"""Requests that read points: retrieve, scroll, count, and what queries have in common with them."""

from typing import Annotated, Literal, TypeVar

import msgspec

from schemas.rest.points import JsonFilter, JsonId
from schemas.rest.shard_keys import ShardKeySelector

MAX_INTEGER = (1 << 63) - 1
"""The largest bound that msgspec can hold a number to. Python's own have none, and become no float when huge."""
AtLeastOne = Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)]
AtLeastZero = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
DEFAULT_LIMIT = 10
MAX_KEYS = 1024
Keys = Annotated[list[str], msgspec.Meta(max_length=MAX_KEYS)]


class PayloadSelector(msgspec.Struct, forbid_unknown_fields=True):
    """Payload keys (paths) to give, or to leave out."""

    include: Keys | None = None
    exclude: Keys | None = None

    def __post_init__(self) -> None:
        if (self.include is None) == (self.exclude is None):
            raise ValueError("Expected one of `include` and `exclude`")


WithPayload = bool | Keys | PayloadSelector
WithVector = bool | Keys
ChoiceT = TypeVar("ChoiceT")


class _Selecting(msgspec.Struct, kw_only=True):
    """What to give of each point. ``with_vectors`` is another name of ``with_vector``."""

    with_payload: WithPayload | None = None
    with_vector: WithVector = False
    with_vectors: WithVector | msgspec.UnsetType = msgspec.UNSET
    shard_key: ShardKeySelector | None = None

    def __post_init__(self) -> None:
        if self.with_vectors is not msgspec.UNSET:
            self.with_vector = self.with_vectors


class RetrieveRequest(_Selecting, kw_only=True):
    """Points by id, without payload unless that is asked for."""

    ids: list[JsonId]


class OrderBy(msgspec.Struct):
    """By which payload key, in which direction, and from which value on."""

    key: str
    direction: Literal["asc", "desc"] | None = None
    start_from: int | float | str | None = None


class ScrollRequest(_Selecting, kw_only=True):
    """A page of points in id order from the id ``offset``, or in another order."""

    offset: JsonId | None = None
    limit: AtLeastOne | None = None
    filter: JsonFilter | None = None
    order_by: str | OrderBy | None = None


class CountRequest(msgspec.Struct):
    """How many points pass a filter. Counts are always exact."""

    filter: JsonFilter | None = None
    exact: bool = True
    shard_key: ShardKeySelector | None = None


class QuantizationParams(msgspec.Struct):
    """How to search quantized vectors. Without ``rescore`` what is found by codes is compared exactly, too."""

    ignore: bool | None = None
    rescore: bool | None = None
    oversampling: Annotated[float, msgspec.Meta(ge=1.0)] | None = None


class IdfCorpus(msgspec.Struct, forbid_unknown_fields=True):
    """The points in whose vectors the indices of a sparse query are counted."""

    corpus: JsonFilter


class AcornParams(msgspec.Struct):
    """Qdrant's way to walk a graph under a filter: without effect, as filters are looked at within the walk anyway."""

    enable: bool = False
    max_selectivity: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] | None = None


class SearchParams(msgspec.Struct):
    """How to search."""

    hnsw_ef: AtLeastOne | None = None
    exact: bool | None = None
    indexed_only: bool | None = None
    quantization: QuantizationParams | None = None
    acorn: AcornParams | None = None
    idf: Literal["global"] | IdfCorpus | None = None

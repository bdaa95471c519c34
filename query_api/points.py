"""Points as they are fetched."""

from collections.abc import Sequence
from typing import Any

import msgspec
from numpy.typing import NDArray

from schemas.ids import PointId
from schemas.rest.shard_keys import ShardKey

Value = int | str
Values = Sequence[Value]
"""What a point has at a payload key: strings and integers, each once, in the order of its payload."""


class FetchedPoint(msgspec.Struct, eq=False, gc=False):
    """A point as answered.

    ``payload`` is a JSON object's bytes, None when not asked for. ``vectors``, None when not asked for, are as parts
    hold them (``schemas.vectors.answered``), read-only by agreement: they may lie in a memory-mapped file.
    """

    id: PointId
    version: int
    payload: bytes | None
    vectors: dict[str, NDArray[Any]] | None
    shard_key: ShardKey | None = None

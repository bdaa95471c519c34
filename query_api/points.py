"""Points as they are fetched."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.ids import PointId


@dataclass(slots=True, eq=False)
class FetchedPoint:
    """A point as answered.

    ``payload`` is a JSON object's bytes, None when not asked for. ``vectors``, None when not asked for, are float32
    [dim], read-only by agreement: they may lie in a memory-mapped file. Those under Cosine are normalised.
    """

    id: PointId
    version: int
    payload: bytes | None
    vectors: dict[str, NDArray[np.float32]] | None

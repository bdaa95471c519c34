from typing import Any

import numpy as np
from numpy.typing import NDArray

class DamagedGraphError(ValueError): ...

class Graph:
    def __init__(
        self,
        vectors: NDArray[Any],  # [rows, dim], float32, float16 or uint8; of codes [rows, width], uint8
        metric: str,  # "dot": 1 - dot product; "squared": squared length of the difference; of codes their form
        links: NDArray[np.uint32],  # [rows, 1 + most]
        upper: list[tuple[NDArray[np.uint32], NDArray[np.uint32]]],
        entry: int,
        level: str | None = None,  # one of levels(); None: the best
    ) -> None: ...
    def search(
        self,
        query: NDArray[Any],  # float32 [dim]; for codes prepared, uint8
        wanted: int,
        ef: int,
        allowed: NDArray[np.bool_] | None = None,  # [rows]
        budget: int | None = None,
    ) -> tuple[NDArray[np.uint32], NDArray[np.float32], int, bool]: ...
    def search_many(
        self,
        queries: NDArray[Any],  # float32 [queries, dim]; for codes prepared, uint8 [queries, length]
        wanted: int,
        ef: int,
        allowed: NDArray[np.bool_] | None = None,
        budget: int | None = None,
        threads: int = 1,
    ) -> list[tuple[NDArray[np.uint32], NDArray[np.float32], int, bool]]: ...

def distances(
    vectors: NDArray[Any],
    metric: str,
    query: NDArray[Any],
    rows: NDArray[np.int64] | None = None,  # None: all
    level: str | None = None,
) -> NDArray[np.float32]: ...
def levels() -> list[str]: ...

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

class Pool:
    def __init__(self, threads: int) -> None: ...
    def descriptor(self) -> int: ...  # can be read from when something is finished
    def walk(
        self,
        ticket: int,
        graph: Graph,
        query: NDArray[Any],
        wanted: int,
        ef: int,
        allowed: NDArray[np.bool_] | None = None,
        budget: int | None = None,
    ) -> None: ...
    def finished(  # since it was asked last: tickets, and what search gives or why it doesn't
        self,
    ) -> list[tuple[int, tuple[NDArray[np.uint32], NDArray[np.float32], int, bool] | str]]: ...

def distances(
    vectors: NDArray[Any],
    metric: str,
    query: NDArray[Any],
    rows: NDArray[np.int64] | None = None,  # None: all
    level: str | None = None,
) -> NDArray[np.float32]: ...
def levels() -> list[str]: ...

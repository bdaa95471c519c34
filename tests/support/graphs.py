"""Graphs over a matrix in memory."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from projector.segments.graph import Graph
from projector.segments.graph_build import build_links
from projector.segments.repeats import Repeats
from schemas.config import Distance


def graph_over(
    matrix: NDArray[Any],
    distance: Distance,
    m: int = 16,
    ef_construct: int = 100,
    threads: int = 1,
    repeats: Repeats | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Graph:
    """One that nobody mended."""
    repeats = repeats or Repeats.none()
    links = build_links(matrix, distance, m, ef_construct, threads, repeats, progress)
    return Graph(links, matrix, distance, repeats)

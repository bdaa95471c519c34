"""Mend a graph: have rows that hardly any other links to linked to by their nearest neighbours.

A row without a link to it is never found. hnswlib leaves outliers so: each of their neighbours has nearer ones. Under
Euclid one zero vector is enough, as it is near to everything and takes the links of all outliers. This changes the
lowest level only.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

LEAST_LINKS = 3
"""How many links to each row there should be."""

NEAREST = 16
"""Of how many neighbours one is sought that has room for a link."""

Neighbours = Callable[[int], NDArray[np.uint32]]
"""From a row to its ``NEAREST`` nearest, nearest first."""


def mend_links(base: NDArray[np.uint32], rows: NDArray[np.int64], neighbours: Neighbours) -> int:
    """Add links to ``base``, uint32 [all rows, 1 + most] as in ``Links``; returns how many.

    ``rows``: those that are in the graph, ascending.
    """
    counts, links = base[:, 0], base[:, 1:]
    most = links.shape[1]
    linked = np.bincount(links[np.arange(most) < counts[:, np.newaxis]], minlength=len(base))
    added = 0
    for row in rows[linked[rows] < LEAST_LINKS].tolist():
        near = neighbours(row)
        for other in near[counts[near] < most].tolist():
            if linked[row] >= LEAST_LINKS:
                break
            place = int(counts[other])
            if other == row or (links[other, :place] == row).any():
                continue
            links[other, place] = row
            counts[other] = place + 1
            linked[row] += 1
            added += 1
    return added

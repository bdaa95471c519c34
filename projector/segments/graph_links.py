"""Mend a saved graph: have rows that hardly any other links to linked to by their nearest neighbours.

A row without a link to it is never found. hnswlib leaves outliers so: each of their neighbours has nearer ones. Under
Euclid one zero vector is enough, as it is near to everything and takes the links of all outliers. This reads and
changes hnswlib's file of format 0.8, level 0 only:

    header        96 bytes: _HEADER
    elements      ``size`` bytes each: number of links u16, 2 unused bytes, links u32 [2 * M], vector f32, label u64
"""

from collections.abc import Callable
from pathlib import Path
from struct import Struct

import numpy as np
from numpy.typing import NDArray

LEAST_LINKS = 3
"""How many links to each row there should be."""

NEAREST = 16
"""Of how many neighbours one is sought that has room for a link."""

Neighbours = Callable[[int], NDArray[np.uint32]]
"""From a label to those of its ``NEAREST`` nearest, nearest first."""

_HEADER = Struct("<6QiI3QdQ")
_COUNT_BYTES = 4


def mend_links(path: Path, neighbours: Neighbours) -> int:
    """Change the graph in ``path``; returns how many links were added. Raises ValueError for another layout."""
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise ValueError(f"{path}: has only {len(header)} bytes")
    offset, _, count, size, label_offset, data_offset, _, _, _, most, *_ = _HEADER.unpack(header)
    if offset != 0 or data_offset != _COUNT_BYTES + 4 * most or path.stat().st_size < _HEADER.size + count * size:
        raise ValueError(f"{path}: is not laid out as a graph of hnswlib 0.8")
    elements = np.memmap(path, np.uint8, "r+", _HEADER.size, (count, size))
    counts = np.ndarray((count,), "<u2", elements.data, 0, (size,))
    links = np.ndarray((count, most), "<u4", elements.data, _COUNT_BYTES, (size, 4))
    labels = np.ndarray((count,), "<u8", elements.data, label_offset, (size,)).astype(np.int64)
    added = _mend(counts, links, labels, neighbours)
    elements.flush()
    return added


def _mend(
    counts: NDArray[np.uint16], links: NDArray[np.uint32], labels: NDArray[np.int64], neighbours: Neighbours
) -> int:
    most: int = links.shape[1]
    places = np.arange(most, dtype=np.int64)
    linked = np.bincount(links[places < counts[:, np.newaxis]], minlength=len(counts))
    weak = np.flatnonzero(linked < LEAST_LINKS)
    weak = weak[np.argsort(labels[weak])]
    order = np.argsort(labels)
    added = 0
    for element in weak.tolist():
        near = order[np.searchsorted(labels, neighbours(int(labels[element])), sorter=order)]
        with_room = near[counts[near] < links.shape[1]].tolist()
        for other in with_room:
            if linked[element] >= LEAST_LINKS:
                break
            place = int(counts[other])
            if other == element or (links[other, :place] == element).any():
                continue
            links[other, place] = element
            counts[other] = place + 1
            linked[element] += 1
            added += 1
    return added

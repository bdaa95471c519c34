"""The links of a graph, as files keep them and the kernel walks them (docs/segment-files.md)."""

from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile, FlatFileWriter

LINKS_KIND = "graph"
HNSWLIB_SUFFIX = ".hnsw"
"""What the names of graph files end with that have hnswlib's format: those of earlier releases."""

_HEADER = Struct("<6QiI3QdQ")
_COUNT_BYTES = 4
_BLOCK = 1 << 16

Matrix = NDArray[np.uint32]


class HnswlibFile:
    """A file that hnswlib saved, of format 0.8.

        header        96 bytes
        elements      ``size`` bytes each: number of links u16, 2 unused bytes, links u32 [2 * M], vector f32, label u64
        upper levels  for each element: length in bytes u32, then for each of its levels number of links u16, 2 unused
                      bytes, links u32 [M]

    Links are numbers of elements; an element's label is its row.
    """

    def __init__(self, path: Path) -> None:
        """Map the file. Raises ValueError for another layout."""
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            raise ValueError(f"{path}: has only {len(header)} bytes")
        offset, _, count, size, label_offset, data_offset, _, entry, m, most, *_ = _HEADER.unpack(header)
        if offset != 0 or data_offset != _COUNT_BYTES + 4 * most or path.stat().st_size < _HEADER.size + count * size:
            raise ValueError(f"{path}: is not laid out as a graph of hnswlib 0.8")
        self.path = path
        self.m: int = m
        self.entry: int = entry
        self.end_of_elements: int = _HEADER.size + count * size
        elements = np.memmap(path, np.uint8, "r", _HEADER.size, (count, size))
        self.counts = np.ndarray((count,), "<u2", elements.data, 0, (size,))
        self.links = np.ndarray((count, most), "<u4", elements.data, _COUNT_BYTES, (size, 4))
        self.labels = np.ndarray((count,), "<u8", elements.data, label_offset, (size,)).astype(np.int64)


class Links(NamedTuple):
    """``base``: uint32 [rows, 1 + most], of each row how many links it has, then the rows they lead to.

    ``upper``: for each level above, the lowest first, the rows on it, ascending, uint32 [some], and their links, uint32
    [some, 1 + most]. ``entry`` is the row where searches begin. Rows that repeat others have no links. ``file``: where
    they are mapped from, None where they are in memory.
    """

    base: Matrix
    upper: list[tuple[NDArray[np.uint32], Matrix]]
    entry: int
    file: FlatFile | None = None

    @staticmethod
    def of_hnswlib(file: HnswlibFile, rows: int) -> "Links":
        """What hnswlib saved, by rows. Raises ValueError for what can't be links among so many rows."""
        labels = file.labels
        if len(labels) and int(labels.max()) >= rows:
            raise ValueError(f"{file.path}: has more than {rows} rows")
        most = file.links.shape[1]
        base = np.zeros((rows, 1 + most), np.uint32)
        for start in range(0, len(labels), _BLOCK):
            some = slice(start, start + _BLOCK)
            base[labels[some]] = _by_row(file, file.counts[some], file.links[some])
        upper = [_level(file, elements, lists) for elements, lists in _upper_lists(file)]
        entry = int(labels[file.entry]) if len(labels) else 0
        return Links(base, upper, entry)

    def write(self, path: Path) -> None:
        """Write them to a file, durably."""
        with FlatFileWriter(path) as file:
            file.put("links", self.base)
            for level, (rows, links) in enumerate(self.upper, 1):
                file.put(f"rows.{level}", rows)
                file.put(f"links.{level}", links)
            most = [self.base.shape[1] - 1, *(links.shape[1] - 1 for _, links in self.upper)]
            file.finish(LINKS_KIND, _LinksMeta(len(self.base), self.entry, most))

    @staticmethod
    def open(path: Path, rows: int) -> "Links":
        """Map a file of links among so many rows, or read one of hnswlib's. Raises SegmentDamagedError."""
        try:
            if path.suffix == HNSWLIB_SUFFIX:
                return Links.of_hnswlib(HnswlibFile(path), rows)
            file = FlatFile(path, LINKS_KIND)
            meta = file.meta(_meta_decoder)
            if meta.rows != rows:
                raise ValueError(f"{path}: has {meta.rows} rows, not {rows}")
            base, *above = (
                file.array("links" if level == 0 else f"links.{level}", np.uint32).reshape(-1, 1 + most)
                for level, most in enumerate(meta.most)
            )
            upper = [(file.array(f"rows.{level}", np.uint32), links) for level, links in enumerate(above, 1)]
            return Links(base, upper, meta.entry, file)
        except ValueError as error:
            raise SegmentDamagedError(f"{path}: {error}") from error


class _LinksMeta(msgspec.Struct, frozen=True):
    """``most``: for how many links of a row there is room, on each level."""

    rows: int
    entry: int
    most: list[int]


_meta_decoder = msgspec.json.Decoder(_LinksMeta)


def _by_row(file: HnswlibFile, counts: NDArray[Any], links: NDArray[Any]) -> Matrix:
    """Counts and links of some elements as a matrix of rows; what lies behind their last links becomes 0."""
    places: NDArray[np.int64] = np.arange(links.shape[1], dtype=np.int64)
    there: NDArray[np.bool_] = places < counts[:, np.newaxis]
    chosen = np.where(there, links, 0)
    if len(chosen) and int(chosen.max()) >= len(file.labels):
        raise ValueError(f"{file.path}: a link leads to no row")
    found = np.empty((len(links), 1 + links.shape[1]), np.uint32)
    found[:, 0] = counts
    found[:, 1:] = np.where(there, file.labels[chosen], 0)
    return found


def _upper_lists(file: HnswlibFile) -> list[tuple[NDArray[np.int64], Matrix]]:
    """For each level above the lowest, the elements on it, and their counts and links as they stand in the file."""
    data = np.fromfile(file.path, "<u4", offset=file.end_of_elements)
    width = 1 + file.m
    places: list[list[int]] = []
    elements: list[list[int]] = []
    at = 0
    try:
        for element in range(len(file.labels)):
            levels = int(data[at]) // (4 * width)
            while len(places) < levels:
                places.append([])
                elements.append([])
            for level in range(levels):
                places[level].append(at + 1 + level * width)
                elements[level].append(element)
            at += 1 + levels * width
    except IndexError:
        raise ValueError(f"{file.path}: is cut short") from None
    if at > len(data):
        raise ValueError(f"{file.path}: is cut short")
    columns = np.arange(width, dtype=np.int64)
    return [
        (np.array(on, np.int64), data[np.array(begins)[:, np.newaxis] + columns])
        for on, begins in zip(elements, places, strict=True)
    ]


def _level(file: HnswlibFile, elements: NDArray[np.int64], lists: Matrix) -> tuple[NDArray[np.uint32], Matrix]:
    rows = file.labels[elements].astype(np.uint32)
    order = np.argsort(rows)
    links = _by_row(file, lists[:, 0] & 0xFFFF, lists[:, 1:])
    return rows[order], links[order]

"""Columns over a tail: blocks of rows that will not change, built when a filter first asks for them."""

from collections.abc import Iterator

from projector.columns.columns import Block, Columns
from projector.view.stored_points import StoredPoints
from schemas.payload_index import PayloadIndexes

LARGE_ROWS = 1024
SMALL_ROWS = 64
"""Whole blocks are large; the rows after the last one get small ones, so that fewer than 64 go without columns."""


class TailColumns:
    """The blocks of one tail. Two readers may build the same block at once; both get the same answers."""

    def __init__(self, points: StoredPoints, indexes: PayloadIndexes) -> None:
        """``points``: the tail's stored points, which only ever grows; ``indexes``, those declared, may be replaced."""
        self._points = points
        self.indexes = indexes
        self._built: dict[tuple[int, int], Block] = {}

    def blocks(self, bound: int) -> list[Block]:
        """Blocks for rows below ``bound``, from row 0 on without a gap, but for the last few rows."""
        return [self._built.get(span) or self._build(span) for span in _spans(bound)]

    def count(self, bound: int) -> int:
        """How many ``blocks`` there are."""
        return bound // LARGE_ROWS + bound % LARGE_ROWS // SMALL_ROWS

    def unbuilt_rows(self, bound: int) -> int:
        """How many rows ``blocks`` would have to read."""
        return sum(stop - start for start, stop in _spans(bound) if (start, stop) not in self._built)

    def _build(self, span: tuple[int, int]) -> Block:
        start, stop = span
        payloads = [self._points.payload(row) for row in range(start, stop)]
        block = Block(start, stop, Columns.build(payloads, self.indexes))
        self._built[span] = block
        if stop - start == LARGE_ROWS:
            for small in range(start, stop, SMALL_ROWS):
                self._built.pop((small, small + SMALL_ROWS), None)
        return block


def _spans(bound: int) -> Iterator[tuple[int, int]]:
    large = bound - bound % LARGE_ROWS
    for start in range(0, large, LARGE_ROWS):
        yield start, start + LARGE_ROWS
    for start in range(large, bound - bound % SMALL_ROWS, SMALL_ROWS):
        yield start, start + SMALL_ROWS

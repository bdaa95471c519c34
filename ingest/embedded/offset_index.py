"""Where in a segment file some of its offsets are: enough of them that the rest is a short walk away."""

from array import array
from bisect import bisect_right

SPACING_BYTES = 256 * 1024


class OffsetIndex:
    """A sparse, ascending list of (offset, position). In memory only; filled as the file is written and read."""

    def __init__(self, offset: int, position: int) -> None:
        self._offsets = array("Q", (offset,))
        self._positions = array("Q", (position,))

    def __len__(self) -> int:
        return len(self._offsets)

    def floor(self, offset: int) -> tuple[int, int]:
        """The last known (offset, position) at or before ``offset``, which isn't before the file's first."""
        at = bisect_right(self._offsets, offset) - 1
        return self._offsets[at], self._positions[at]

    def add(self, offset: int, position: int) -> None:
        """Remember that the frame of ``offset`` is at ``position``, unless a neighbour is near enough."""
        at = bisect_right(self._positions, position)
        if position - self._positions[at - 1] < SPACING_BYTES:
            return
        if at < len(self._positions) and self._positions[at] - position < SPACING_BYTES:
            return
        self._offsets.insert(at, offset)
        self._positions.insert(at, position)

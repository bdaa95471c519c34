"""Arrays that grow at the end by doubling, so that what was handed out before stays as it is."""

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

ScalarT = TypeVar("ScalarT", bound=np.generic)
_FIRST_CAPACITY = 1024
_LARGE_BYTES = 1 << 20
_ROOM_BYTES = 8 << 20
"""What takes a megabyte gets room for what fills a tail, so that it isn't copied again: the system gives a page of so
large a block only once it is written."""


class GrowingArray(Generic[ScalarT]):
    """Rows of one dtype, appended at the end.

    ``rows(n)`` hands out the first n rows without a copy. Growing moves to a larger array and leaves the old one to
    those who hold it; values written later in place are seen only by those who took their rows since.
    """

    def __init__(self, dtype: type[ScalarT] | np.dtype[ScalarT], width: int | None = None) -> None:
        """``width``: the number of columns, None for a one-dimensional array."""
        self._dtype = dtype
        self._width = width
        self._row_bytes = np.dtype(dtype).itemsize * (width or 1)
        self._data = self._allocate(0)
        self.size = 0

    def _allocate(self, capacity: int) -> NDArray[ScalarT]:
        shape = (capacity,) if self._width is None else (capacity, self._width)
        return np.empty(shape, self._dtype)

    def rows(self, count: int) -> NDArray[ScalarT]:
        """The first ``count`` rows, sharing memory with what is written in place later."""
        return self._data[:count]

    def all(self) -> NDArray[ScalarT]:
        """Every row."""
        return self._data[: self.size]

    def begin_with(self, values: NDArray[ScalarT]) -> None:
        """Have these rows, which nobody else has, as the first ones."""
        self._data, self.size = values, len(values)

    def extend(self, values: NDArray[ScalarT]) -> None:
        """Append rows."""
        start, end = self.size, self.size + len(values)
        self._reserve(end)
        self._data[start:end] = values
        self.size = end

    def fill(self, count: int, value: ScalarT) -> None:
        """Append ``count`` equal rows."""
        start, end = self.size, self.size + count
        self._reserve(end)
        self._data[start:end] = value
        self.size = end

    def _reserve(self, rows: int) -> None:
        capacity = len(self._data)
        if rows <= capacity:
            return
        wanted = max(rows, 2 * capacity, _FIRST_CAPACITY)
        if wanted * self._row_bytes >= _LARGE_BYTES:
            wanted = max(wanted, _ROOM_BYTES // self._row_bytes)
        grown = self._allocate(wanted)
        grown[: self.size] = self._data[: self.size]
        self._data = grown

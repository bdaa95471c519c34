"""The order of a new segment's slots: all sources' ids sorted together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from projector.segments.errors import BuildFailedError
from projector.segments.slot_ids import UUID_DTYPE
from projector.segments.sources import Rows, Source

ScalarT = TypeVar("ScalarT", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class MergeOrder:
    """Where each slot comes from: ``source`` uint16 [n], and ``row`` uint32 [n] in that source."""

    sources: Sequence[Source]
    numbers: NDArray[np.uint64]
    uuids: NDArray[np.bytes_]
    source: NDArray[np.uint16]
    row: NDArray[np.uint32]

    @property
    def size(self) -> int:
        """The number of slots."""
        return len(self.row)

    def blocks(self, slots: int) -> Iterator[slice]:
        """All slots, so many at a time."""
        return (slice(at, min(at + slots, self.size)) for at in range(0, self.size, slots))

    def rows_by_source(self, block: slice, wanted: NDArray[np.bool_]) -> list[tuple[Source, Rows, Rows]]:
        """The sources of a block's ``wanted`` slots: each with the places of its slots among these, and its rows."""
        source, row = self.source[block][wanted], self.row[block][wanted]
        present: list[int] = np.unique(source).tolist()
        places = ((number, np.flatnonzero(source == number)) for number in present)
        return [(self.sources[number], at, row[at].astype(np.int64)) for number, at in places]

    def gather(
        self,
        block: slice,
        out: NDArray[ScalarT],
        take: Callable[[Source, Rows], NDArray[ScalarT]],
        wanted: NDArray[np.bool_] | None = None,
    ) -> NDArray[ScalarT]:
        """Fill ``out`` with what ``take`` gives for a block's slots, those ``wanted``, whatever their sources."""
        source, row = self.source[block], self.row[block]
        if wanted is not None:
            source, row = source[wanted], row[wanted]
        present: list[int] = np.unique(source).tolist()
        for number in present:
            here = source == number
            out[here] = take(self.sources[number], row[here].astype(np.int64))
        return out


def merge_ids(sources: Sequence[Source]) -> MergeOrder:
    """Sort the ids of all sources. Raises BuildFailedError when an id comes twice: a point would be there twice."""
    no_numbers, no_uuids = np.empty(0, np.uint64), np.empty(0, UUID_DTYPE)
    numbers = np.concatenate([no_numbers, *(s.numbers for s in sources)])
    uuids = np.concatenate([no_uuids, *(s.uuids for s in sources)])
    number_order = np.argsort(numbers, kind="stable")
    uuid_order = np.argsort(uuids, kind="stable")
    numbers, uuids = numbers[number_order], uuids[uuid_order]
    if np.any(numbers[1:] == numbers[:-1]) or np.any(np.equal(uuids[1:], uuids[:-1])):
        raise BuildFailedError("two sources of a segment have the same point")
    number_source, number_row = _origins([s.number_rows for s in sources])
    uuid_source, uuid_row = _origins([s.uuid_rows for s in sources])
    source = np.concatenate([number_source[number_order], uuid_source[uuid_order]])
    row = np.concatenate([number_row[number_order], uuid_row[uuid_order]])
    return MergeOrder(sources, numbers, uuids, source, row)


def _origins(rows: Sequence[Rows]) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
    source = np.repeat(np.arange(len(rows), dtype=np.uint16), [len(r) for r in rows])
    return source, np.concatenate([np.empty(0, np.uint32), *(r.astype(np.uint32) for r in rows)])

"""What a kind of vectors is to tails and segments."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from projector.segments.flat_file import FlatFile, FlatFileWriter
from projector.segments.meta import VectorMeta

Rows = NDArray[np.int64]
Slots = NDArray[np.uint32]


class Vectors(Protocol):
    """One vector name's values in a part, whatever their kind."""

    @property
    def rows(self) -> int:
        """How many slots have one."""
        ...

    @property
    def slots(self) -> Slots | None:
        """uint32 [rows], ascending: whose values they are; None when row i is slot i's and no slot lacks one."""
        ...

    @property
    def storable(self) -> NDArray[Any] | None:
        """[rows, ...]: what points may be stored with in place of the vectors that they came with, and be as good; None
        where values are not kept like that.
        """
        ...

    def value(self, row: int) -> NDArray[Any]:
        """One of them (``schemas.vectors.answered``)."""
        ...


class Stored(NamedTuple):
    """Values of many points as stored points hold them, one after another; ``lengths``: the bytes of each."""

    data: bytes
    lengths: Sequence[int]


HeldT = TypeVar("HeldT", bound=Vectors)
GrownT = TypeVar("GrownT", bound=Vectors, covariant=True)


class Growing(Protocol[GrownT]):
    """The values of a tail's rows, appended at the end; what was handed out before stays as it is.

    ``storable``: whether what it holds is that (``Vectors``).
    """

    storable: bool

    def extend(self, stored: Stored) -> None:
        """Append values."""
        ...

    def held(self, rows: int, slots: Slots | None) -> GrownT:
        """The first ``rows`` values."""
        ...

    def take(self, rows: Rows) -> "Growing[GrownT]":
        """A copy of some of them."""
        ...


class PartKind(Protocol[HeldT]):
    """One kind of vectors under one name's parameters. Blocks are values that belong to no slots."""

    @property
    def graphs(self) -> bool:
        """Whether there can be graphs of these vectors."""
        ...

    @property
    def row_bytes(self) -> int:
        """How many bytes a value takes, about."""
        ...

    def growing(self) -> Growing[HeldT]:
        """An empty store for a tail."""
        ...

    def block(self, stored: Stored) -> HeldT:
        """Values of stored points."""
        ...

    def take(self, held: HeldT, rows: Rows) -> HeldT:
        """Some of what a part holds, as a block."""
        ...

    def joined(self, blocks: Sequence[HeldT]) -> HeldT:
        """Blocks one after another."""
        ...

    def write(self, file: FlatFileWriter, number: int, blocks: Iterator[HeldT]) -> None:
        """Write the sections of all values, which come in blocks."""
        ...

    def opened(self, file: FlatFile, meta: VectorMeta, slots: Slots | None) -> HeldT:
        """What a segment holds. Raises SegmentDamagedError when its sections don't fit."""
        ...

    def meta(self, name: str, number: int, rows: int, every_slot: bool) -> VectorMeta:
        """What the segment's directory says of them."""
        ...

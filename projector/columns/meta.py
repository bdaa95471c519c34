"""The directory of a segment's columns: section ``columns``, JSON."""

import msgspec

from schemas.json_path import EACH, Each

COLUMNS_SECTION = "columns"

ColumnSteps = tuple[str | Each, ...]
"""A path as a column has it: keys and array steps, beginning and ending with a key."""


class ColumnMeta(msgspec.Struct, frozen=True):
    """One column: its path, in which null is an array step, and the number in its sections' names.

    ``points``: how many slots have a value there, other than null and ``[]``.
    """

    path: list[str | None]
    number: int
    points: int

    @staticmethod
    def of(steps: ColumnSteps, number: int, points: int) -> "ColumnMeta":
        """The meta of the column at ``steps``."""
        return ColumnMeta([None if s is EACH else s for s in steps], number, points)

    @property
    def steps(self) -> ColumnSteps:
        """The path as steps."""
        return tuple(EACH if s is None else s for s in self.path)


class ColumnsMeta(msgspec.Struct, frozen=True):
    """All columns; ``complete`` when a path without a column leads to nothing in any slot.

    ``evaluator``: the version of the evaluator that they were built under; "" where that isn't told.
    """

    complete: bool
    columns: list[ColumnMeta]
    evaluator: str = ""

"""The directory of a segment's columns: section ``columns``, JSON."""

from collections.abc import Sequence

import msgspec

from schemas.json_path import EACH, Each
from schemas.payload_index import IndexParams

COLUMNS_SECTION = "columns"

ColumnSteps = tuple[str | Each, ...]
"""A path as a column has it: keys and array steps, beginning and ending with a key."""


def column_steps(steps: Sequence[str | int | Each]) -> ColumnSteps:
    """The steps of the column that has the values that a path leads to, and maybe more.

    A column has a path's values with arrays opened one level, so ``tags`` also stands for ``tags[]`` and ``tags[0]``,
    and ``stops[].name`` for ``stops[0].name``.
    """
    found: ColumnSteps = tuple(EACH if isinstance(step, int) else step for step in steps)
    while found[-1] is EACH:
        found = found[:-1]
    return found


class ColumnMeta(msgspec.Struct, frozen=True):
    """One column: its path, in which null is an array step, and the number in its sections' names.

    ``points``: how many slots have a value there, other than null and ``[]``. ``index``: what was declared of the path
    when it was built. ``counted``: whether it has counts of values.
    """

    path: list[str | None]
    number: int
    points: int
    index: IndexParams | None = None
    counted: bool = False

    @staticmethod
    def of(steps: ColumnSteps, number: int, points: int, index: IndexParams | None) -> "ColumnMeta":
        """The meta of the column at ``steps``."""
        return ColumnMeta([None if s is EACH else s for s in steps], number, points, index, counted=True)

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

"""The directory of a segment's columns: section ``columns``, JSON."""

from collections.abc import Mapping, Sequence

import msgspec

from schemas.json_path import EACH, Each, parse_path
from schemas.payload_index import GeoIndex, IndexParams, PayloadIndex, TextIndex, UuidIndex

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


def structure(params: IndexParams | None) -> IndexParams | None:
    """What a declared index adds to a column: that of its parameters which says so, None where it adds nothing."""
    match params:
        case TextIndex():
            return msgspec.structs.replace(params, on_disk=None, memory=None, enable_hnsw=None)
        case UuidIndex():
            return UuidIndex()
        case GeoIndex():
            return GeoIndex()
        case _:
            return None


def declared_columns(indexes: Mapping[str, PayloadIndex]) -> dict[ColumnSteps, IndexParams]:
    """What is declared, by the column that has it; of two keys with one column the later one counts."""
    return {column_steps(parse_path(key).steps): index.params for key, index in indexes.items()}


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

    ``evaluator``: the version of the evaluator that they were built under; "" where that isn't told. ``declared``: by
    payload key, what was then; None where that isn't told.
    """

    complete: bool
    columns: list[ColumnMeta]
    evaluator: str = ""
    declared: dict[str, IndexParams] | None = None

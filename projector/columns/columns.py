"""Columns: all columns of a segment, by path."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from projector.columns.builder import ColumnsBuilder
from projector.columns.column import Column
from projector.columns.meta import (
    COLUMNS_SECTION,
    ColumnMeta,
    ColumnsMeta,
    ColumnSteps,
    column_steps,
    declared_columns,
    structure,
)
from projector.columns.sections import ArraySource, MemorySections, Prefixed
from schemas.json_path import Path
from schemas.matching import EVALUATOR_VERSION
from schemas.payload_index import PayloadIndex, PayloadIndexes

_meta_decoder = msgspec.json.Decoder(ColumnsMeta)


class Columns:
    """The reader of what ColumnsBuilder wrote. Readers may be any number of threads."""

    def __init__(self, source: ArraySource, size: int) -> None:
        """Open the columns of ``size`` slots. Raises msgspec.MsgspecError when their directory cannot be read."""
        directory = source.array(COLUMNS_SECTION, np.uint8).tobytes()
        meta = _meta_decoder.decode(directory)
        self.complete = meta.complete
        """Whether a path without a column leads to nothing at any slot."""
        self.evaluator = meta.evaluator
        """The version of the evaluator that they were built under; "" when unknown."""
        self._source = source
        self._size = size
        self._metas: dict[ColumnSteps, ColumnMeta] = {column.steps: column for column in meta.columns}
        self._declared = meta.declared
        self._lacking: tuple[PayloadIndexes, bool] | None = None
        self._columns: dict[ColumnSteps, Column] = {}
        self._nothing = Column(Prefixed(MemorySections(), ""), size, None)

    @staticmethod
    def build(payloads: Sequence[bytes], indexes: PayloadIndexes | None = None) -> "Columns":
        """The columns of these payloads, in memory; ``indexes`` are those declared."""
        builder = ColumnsBuilder(indexes or {})
        for payload in payloads:
            builder.add(payload)
        sections = MemorySections()
        builder.write(sections)
        return Columns(sections, len(payloads))

    @property
    def paths(self) -> dict[Path, int]:
        """The paths that have a column, and at how many slots they lead to something."""
        return {Path(steps): meta.points for steps, meta in self._metas.items()}

    @property
    def metas(self) -> Collection[ColumnMeta]:
        """What is said of each column."""
        return self._metas.values()

    def lack(self, indexes: PayloadIndexes) -> bool:
        """Whether columns that are built now, with ``indexes`` declared, have a column or a structure more."""
        known = self._lacking
        if known is None or known[0] is not indexes:
            known = self._lacking = (indexes, self._lack(indexes))
        return known[1]

    def _lack(self, indexes: PayloadIndexes) -> bool:
        of_today = self.evaluator == EVALUATOR_VERSION
        then = {key: PayloadIndex(params) for key, params in (self._declared or {}).items()}
        tried = declared_columns(then) if of_today else {}
        for steps, params in declared_columns(indexes).items():
            meta = self._metas.get(steps)
            wanted = structure(params)
            if steps in tried and structure(tried[steps]) == wanted:
                continue  # what it lacks all the same it would lack again
            if meta is None and not self.complete:
                return True
            held = structure(meta.index) if meta is not None and of_today else None
            if meta is not None and wanted is not None and wanted != held:
                return True
        return False

    def find(self, path: Path) -> tuple[Column, bool] | None:
        """The column that can say something about a path, and whether it is that path's own.

        Another path that it stands for (``column_steps``) leads to no more elements than the column has, but perhaps to
        fewer. None: nothing is known, because the path has no column but may have values.
        """
        steps = column_steps(path.steps)
        own = steps == path.steps
        column = self._columns.get(steps)
        if column is None:
            meta = self._metas.get(steps)
            if meta is None:
                return (self._nothing, True) if self.complete else None
            source = Prefixed(self._source, f"column.{meta.number}.")
            if self.evaluator != EVALUATOR_VERSION:
                # What an index of then would say may not be what one of today does.
                meta = msgspec.structs.replace(meta, index=None)
            column = self._columns[steps] = Column(source, self._size, meta)
        return column, own


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The columns of the slots [start, stop)."""

    start: int
    stop: int
    columns: Columns

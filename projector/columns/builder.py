"""Build columns from payloads: one pass, then the most frequent paths are written."""

import msgspec
import numpy as np

from projector.columns.accumulator import ColumnAccumulator, Scalar
from projector.columns.keywords import HashCollisionError
from projector.columns.meta import COLUMNS_SECTION, ColumnMeta, ColumnsMeta, ColumnSteps
from projector.columns.sections import SectionSink
from schemas.json_path import EACH
from schemas.validation import decode_payload

MAX_COLUMNS = 64
_MAX_TRACKED = 1024
_MAX_STEPS = 64

JsonItem = Scalar | list["JsonItem"] | dict[str, "JsonItem"]


class ColumnsBuilder:
    """Takes the payloads of slots 0, 1, 2, ... and writes their columns."""

    def __init__(self) -> None:
        self._slot = 0
        self._tracked: dict[ColumnSteps, ColumnAccumulator] = {}
        self._dropped = False

    def add(self, payload: bytes) -> None:
        """The payload of the next slot: a JSON object's bytes, or empty."""
        if payload:
            for key, value in decode_payload(payload).items():
                self._visit((key,), value)
        self._slot += 1

    def write(self, sink: SectionSink) -> None:
        """Write the sections of the MAX_COLUMNS most frequent paths."""
        ranked = sorted(self._tracked.items(), key=lambda item: item[1].points, reverse=True)
        complete = not self._dropped and len(ranked) <= MAX_COLUMNS
        metas: list[ColumnMeta] = []
        for steps, accumulator in ranked[:MAX_COLUMNS]:
            try:
                sections = accumulator.finish()
            except HashCollisionError:
                complete = False
                continue
            number = len(metas)
            metas.append(ColumnMeta.of(steps, number, accumulator.points, accumulator.bare_values))
            for name, data in sections.items():
                sink.put(f"column.{number}.{name}", data)
        encoded = msgspec.json.encode(ColumnsMeta(complete, metas))
        sink.put(COLUMNS_SECTION, np.frombuffer(encoded, np.uint8))

    def _visit(self, steps: ColumnSteps, value: "JsonItem") -> None:
        column = self._column(steps)
        slot = self._slot
        if column is not None:
            column.seen(slot)
            if isinstance(value, list):
                self._record_elements(column, value)
            else:
                column.bare_values = True
                self._record(column, value)
                if value is not None:
                    column.mark("filled", slot)
        self._descend(steps, value)

    def _record_elements(self, column: ColumnAccumulator, values: list["JsonItem"]) -> None:
        if values:
            column.mark("filled", self._slot)
        for value in values:
            self._record(column, value)

    def _record(self, column: ColumnAccumulator, value: "JsonItem") -> None:
        if isinstance(value, dict):
            column.mark("others", self._slot)
        elif isinstance(value, list):
            column.mark("others", self._slot)
            column.mark("arrays_within", self._slot)
        else:
            column.add(value, self._slot)

    def _descend(self, steps: ColumnSteps, value: "JsonItem") -> None:
        if len(steps) >= _MAX_STEPS:
            return
        if isinstance(value, dict):
            for key, item in value.items():
                self._visit((*steps, key), item)
        elif isinstance(value, list):
            within = (*steps, EACH)
            for item in value:
                self._descend(within, item)

    def _column(self, steps: ColumnSteps) -> ColumnAccumulator | None:
        column = self._tracked.get(steps)
        if column is None:
            if len(self._tracked) == _MAX_TRACKED:
                self._dropped = True
                return None
            column = self._tracked[steps] = ColumnAccumulator()
        return column

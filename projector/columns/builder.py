"""Build columns from payloads: one pass, then the most frequent paths are written."""

from typing import cast

import msgspec
import numpy as np

from projector.columns.accumulator import ColumnAccumulator, JsonItem
from projector.columns.meta import COLUMNS_SECTION, ColumnMeta, ColumnsMeta, ColumnSteps, declared_columns
from projector.columns.postings import HashCollisionError
from projector.columns.sections import SectionSink
from schemas.json_path import EACH
from schemas.matching import EVALUATOR_VERSION
from schemas.payload_index import PayloadIndexes
from schemas.validation import decode_payload

MAX_COLUMNS = 64
_MAX_TRACKED = 1024
"""Payloads may have any number of keys; those that come after so many different ones get no column."""


class _Node:
    """A path that payloads have; ``column`` is None where it ends with an array step."""

    __slots__ = ("children", "column", "each", "steps")

    def __init__(self, steps: ColumnSteps, column: ColumnAccumulator | None) -> None:
        self.steps = steps
        self.column = column
        self.children: dict[str, _Node] = {}
        self.each: _Node | None = None


class ColumnsBuilder:
    """Takes the payloads of slots 0, 1, 2, ... and writes their columns."""

    def __init__(self, indexes: PayloadIndexes) -> None:
        """``indexes``, by payload key, say which paths get a column before others, and with which structures."""
        self._indexes = indexes
        self._declared = declared_columns(indexes)
        self._slot = 0
        self._root = _Node((), None)
        self._tracked: list[tuple[ColumnSteps, ColumnAccumulator]] = []
        self._dropped = False

    def add(self, payload: bytes) -> None:
        """The payload of the next slot: a JSON object's bytes, or empty."""
        if payload:
            self._visit_object(self._root, decode_payload(payload))
        self._slot += 1

    def write(self, sink: SectionSink) -> None:
        """Write the sections of the paths that are declared, and of others as frequent, MAX_COLUMNS at most."""
        ranked = sorted(self._tracked, key=lambda item: (item[1].index is None, -item[1].points))
        complete = not self._dropped and len(ranked) <= MAX_COLUMNS
        metas: list[ColumnMeta] = []
        for steps, accumulator in ranked[:MAX_COLUMNS]:
            try:
                sections = accumulator.finish(self._slot)
            except HashCollisionError:
                complete = False
                continue
            number = len(metas)
            metas.append(ColumnMeta.of(steps, number, accumulator.points, accumulator.index))
            for name, data in sections.items():
                sink.put(f"column.{number}.{name}", data)
        declared = {key: index.params for key, index in self._indexes.items()}
        encoded = msgspec.json.encode(ColumnsMeta(complete, metas, EVALUATOR_VERSION, declared))
        sink.put(COLUMNS_SECTION, np.frombuffer(encoded, np.uint8))

    def _visit_object(self, node: _Node, value: dict[str, JsonItem]) -> None:
        children = node.children
        slot = self._slot
        for key, item in value.items():
            child = children.get(key) or self._new_child(node, key)
            if child is None or child.column is None:
                continue
            if type(item) is list:
                elements = cast(list[JsonItem], item)
                child.column.add_array(elements, slot)
                self._visit_array(child, elements)
            else:
                child.column.add_bare(item, slot)
                if type(item) is dict:
                    self._visit_object(child, cast(dict[str, JsonItem], item))

    def _visit_array(self, node: _Node, values: list[JsonItem]) -> None:
        for value in values:
            if type(value) is dict:
                self._visit_object(_each(node), cast(dict[str, JsonItem], value))
            elif type(value) is list:
                self._visit_array(_each(node), cast(list[JsonItem], value))

    def _new_child(self, node: _Node, key: str) -> _Node | None:
        steps = (*node.steps, key)
        index = self._declared.get(steps)
        if len(self._tracked) >= _MAX_TRACKED and index is None:
            self._dropped = True
            return None
        column = ColumnAccumulator(index)
        child = node.children[key] = _Node(steps, column)
        self._tracked.append((child.steps, column))
        return child


def _each(node: _Node) -> _Node:
    if node.each is None:
        node.each = _Node((*node.steps, EACH), None)
    return node.each

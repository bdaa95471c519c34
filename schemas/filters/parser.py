"""Parse Qdrant's filter JSON into the model, within limits that keep evaluating it bounded."""

from typing import Any

from schemas.errors import BadInputError
from schemas.filters import checks
from schemas.filters.field_tests import TESTS, parse_test
from schemas.filters.model import (
    Condition,
    FieldCondition,
    Filter,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    MinShould,
    Nested,
    Slice,
)
from schemas.ids import PointId, parse_point_id
from schemas.json_path import EACH, Path

MAX_FILTER_DEPTH = 60
"""Filters within filters; the outermost is the first level."""
MAX_CONDITIONS = 4096
MAX_VALUES = 100_000
"""Members of ``any``, ``except`` and ``has_id`` lists, and points of polygons, in a whole filter."""

_CLAUSES = frozenset({"must", "should", "must_not", "min_should"})
_FIELD = frozenset({"key", *TESTS})
_MAX_UINT32 = (1 << 32) - 1


def parse_filter(obj: object, where: str = "filter") -> Filter:
    """The filter that ``obj``, JSON as builtins, stands for; ``where`` is what messages call it.

    Raises BadInputError that begins with the path to what is wrong, UnprocessableError where a value breaks a rule.
    Stricter than Qdrant in this: a field that no kind of condition knows is an error everywhere, since a misspelt
    test would otherwise widen a delete.
    """
    return _Parser().filter(obj, where, 1)


class _Parser:
    """One parse: counts conditions and values as it goes."""

    def __init__(self) -> None:
        self._conditions = 0
        self._values = 0

    def filter(self, obj: object, where: str, depth: int) -> Filter:
        if depth > MAX_FILTER_DEPTH:
            checks.fail(where, f"filters are nested deeper than {MAX_FILTER_DEPTH} levels")
        fields = checks.present(obj, where, _CLAUSES)
        return Filter(
            must=self._clause(fields, "must", where, depth),
            should=self._clause(fields, "should", where, depth),
            must_not=self._clause(fields, "must_not", where, depth),
            min_should=self._min_should(fields, where, depth),
        )

    def _clause(self, fields: dict[str, Any], name: str, where: str, depth: int) -> tuple[Condition, ...]:
        value = fields.get(name)
        if value is None:
            return ()
        where = f"{where}.{name}"
        if isinstance(value, dict):
            return (self._condition(value, where, depth),)  # pyright: ignore[reportUnknownArgumentType]
        if not isinstance(value, list):
            checks.fail(where, f"expected a condition or an array of conditions, not {checks.describe(value)}")
        return self._conditions_of(value, where, depth)  # pyright: ignore[reportUnknownArgumentType]

    def _conditions_of(self, value: list[Any], where: str, depth: int) -> tuple[Condition, ...]:
        return tuple(self._condition(item, f"{where}[{i}]", depth) for i, item in enumerate(value))

    def _min_should(self, fields: dict[str, Any], where: str, depth: int) -> MinShould | None:
        if "min_should" not in fields:
            return None
        where = f"{where}.min_should"
        inner = checks.present(fields["min_should"], where, frozenset({"conditions", "min_count"}))
        conditions = checks.array(checks.required(inner, "conditions", where), f"{where}.conditions")
        min_count = checks.integer(checks.required(inner, "min_count", where), f"{where}.min_count", low=0)
        if min_count == 0:
            checks.break_rule(f"{where}.min_count", "min_count must be greater than 0")
        return MinShould(self._conditions_of(conditions, f"{where}.conditions", depth), min_count)

    def _condition(self, obj: object, where: str, depth: int) -> Condition:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            checks.fail(where, f"a filter has at most {MAX_CONDITIONS} conditions")
        names = checks.present(obj, where).keys()
        if "key" in names:
            return self._field(obj, where)
        if "is_empty" in names:
            return FieldCondition(self._payload_field(obj, "is_empty", where), (IsEmpty(),))
        if "is_null" in names:
            return FieldCondition(self._payload_field(obj, "is_null", where), (IsNull(),))
        if "has_id" in names:
            return self._has_id(obj, where)
        if "has_vector" in names:
            fields = checks.present(obj, where, frozenset({"has_vector"}))
            return HasVector(checks.string(fields["has_vector"], f"{where}.has_vector"))
        if "slice" in names:
            return self._slice(obj, where)
        if "nested" in names:
            return self._nested(obj, where, depth)
        if not names <= _CLAUSES:
            checks.fail(where, f"not a condition; its fields are: {', '.join(sorted(names))[:200]}")
        return self.filter(obj, where, depth + 1)

    def _field(self, obj: object, where: str) -> FieldCondition:
        fields = checks.present(obj, where, _FIELD)
        key = checks.path(fields.pop("key"), f"{where}.key")
        if not fields:
            rule = "Validation error: At least one field condition must be specified"
            checks.break_rule(where, f"{rule} ({', '.join(sorted(TESTS))})")
        tests = [parse_test(name, fields[name], f"{where}.{name}", self._take) for name in TESTS if name in fields]
        return FieldCondition(key, tuple(tests))

    def _payload_field(self, obj: object, name: str, where: str) -> Path:
        fields = checks.present(obj, where, frozenset({name}))
        where = f"{where}.{name}"
        inner = checks.present(fields[name], where, frozenset({"key"}))
        return checks.path(checks.required(inner, "key", where), f"{where}.key")

    def _has_id(self, obj: object, where: str) -> HasId:
        fields = checks.present(obj, where, frozenset({"has_id"}))
        where = f"{where}.has_id"
        items = checks.array(fields["has_id"], where)
        self._take(len(items), where)
        return HasId(frozenset(_point_id(item, where, i) for i, item in enumerate(items)))

    def _slice(self, obj: object, where: str) -> Slice:
        fields = checks.present(obj, where, frozenset({"slice"}))
        where = f"{where}.slice"
        inner = checks.present(fields["slice"], where, frozenset({"index", "total"}))
        total = checks.integer(checks.required(inner, "total", where), f"{where}.total", 1, _MAX_UINT32)
        index = checks.integer(checks.required(inner, "index", where), f"{where}.index", 0, _MAX_UINT32)
        if index >= total:
            checks.break_rule(f"{where}.index", "Slice index must be less than the total number of slices")
        return Slice(index, total)

    def _nested(self, obj: object, where: str, depth: int) -> Nested:
        fields = checks.present(obj, where, frozenset({"nested"}))
        where = f"{where}.nested"
        inner = checks.present(fields["nested"], where, frozenset({"key", "filter"}))
        key = checks.path(checks.required(inner, "key", where), f"{where}.key")
        if key.steps[-1] is not EACH:
            key = Path((*key.steps, EACH))
        return Nested(key, self.filter(checks.required(inner, "filter", where), f"{where}.filter", depth + 1))

    def _take(self, count: int, where: str) -> None:
        self._values += count
        if self._values > MAX_VALUES:
            checks.fail(where, f"a filter has at most {MAX_VALUES} values")


def _point_id(value: object, where: str, position: int) -> PointId:
    try:
        return parse_point_id(value)
    except BadInputError as error:
        checks.malformed(f"{where}[{position}]", error.message)

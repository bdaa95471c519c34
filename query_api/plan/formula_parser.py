"""Formulas as requests have them to ``query_api.plan.formula``, within limits."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, cast

import msgspec

from query_api.plan.fields import to_filter
from query_api.plan.formula import (
    DECAYS,
    FUNCTIONS,
    Constant,
    DatetimeKey,
    Decay,
    Expression,
    Formula,
    Function,
    GeoDistance,
    Holds,
    Power,
    Product,
    Quotient,
    Score,
    Sum,
    Variable,
)
from schemas.datetimes import parse_datetime
from schemas.errors import BadInputError, UnprocessableError
from schemas.filters import Filter, GeoPoint
from schemas.json_path import Path, parse_path

MAX_EXPRESSIONS = 1024
MAX_DEPTH = 64
_SCORE = "$score"


def to_formula(obj: object, defaults: Mapping[str, Any]) -> Formula:
    """The formula that ``obj``, JSON as builtins, stands for. Raises BadInputError, UnprocessableError."""
    parser = _Parser(defaults)
    expression = parser.expression(obj, "formula", 0)
    return Formula(expression, parser.size, tuple(dict.fromkeys(parser.paths)), tuple(parser.conditions))


class _Parser:
    def __init__(self, defaults: Mapping[str, Any]) -> None:
        self.size = 0
        self.paths: list[Path] = []
        self.conditions: list[Filter] = []
        self._defaults = {str(_path(key)) if not key.startswith("$") else key: v for key, v in defaults.items()}

    def expression(self, obj: object, where: str, depth: int) -> Expression:
        self.size += 1
        if self.size > MAX_EXPRESSIONS or depth > MAX_DEPTH:
            raise UnprocessableError(
                f"Validation error in JSON body: [query.formula: at most {MAX_EXPRESSIONS} expressions, nested at "
                f"most {MAX_DEPTH} deep]"
            )
        if isinstance(obj, str):
            return self._score(obj) if obj.startswith("$") else self._of_payload(Variable, obj)
        if isinstance(obj, int | float) and not isinstance(obj, bool):
            return Constant(_number(obj, where))
        if not isinstance(obj, dict):
            raise _malformed(f"{where} is no expression")
        fields = cast("dict[str, Any]", obj)
        named = [key for key in fields if key in _READERS]
        if not named:
            return self._condition(fields)
        if len(fields) > 1:
            raise _malformed(f"{where} must have one of {', '.join(fields)}")
        return _READERS[named[0]](self, named[0], fields[named[0]], f"{where}.{named[0]}", depth + 1)

    def _condition(self, fields: dict[str, Any]) -> Holds:
        self.conditions.append(to_filter({"must": [fields]}) or Filter())
        return Holds(len(self.conditions) - 1)

    def _score(self, name: str) -> Score:
        digits = name.removeprefix(f"{_SCORE}[").removesuffix("]")
        number = 0
        if name != _SCORE:
            if name not in (f"{_SCORE}[{digits}]",) or not (digits.isascii() and digits.isdigit() and len(digits) < 10):
                kind = "variable" if name.startswith((f"{_SCORE}[", "$[")) or name == "$" else "word"
                raise BadInputError(
                    f"Wrong input: Validation failed: failed to parse variable ID {name}: Invalid reserved {kind}: "
                    f"{name}"
                )
            number = int(digits)
        names = (name, f"{_SCORE}[{number}]", *((_SCORE,) if number == 0 else ()))
        given = next((self._defaults[known] for known in names if known in self._defaults), 0.0)
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise BadInputError(f"Wrong input: Expected number value for {name} in the formula defaults")
        return Score(number, _number(given, f"defaults.{name}"))

    def _of_payload(self, kind: type[Variable] | type[DatetimeKey], name: object) -> Variable | DatetimeKey:
        path = self._path(name)
        return kind(str(name), path, self._defaults.get(str(path), msgspec.UNSET))

    def _path(self, name: object) -> Path:
        if not isinstance(name, str):
            raise _malformed("a payload key must be a string")
        self.paths.append(path := _path(name))
        return path

    def many(self, name: str, obj: object, where: str, depth: int) -> Expression:
        if not isinstance(obj, list):
            raise _malformed(f"{where} must be a list")
        items = cast("list[Any]", obj)
        inner = tuple(self.expression(item, f"{where}[{at}]", depth) for at, item in enumerate(items))
        return Sum(inner) if name == "sum" else Product(inner)

    def function(self, name: str, obj: object, where: str, depth: int) -> Expression:
        return Function(name, self.expression(obj, where, depth))

    def quotient(self, _: str, obj: object, where: str, depth: int) -> Expression:
        fields = _fields(obj, where, ("left", "right"), ("by_zero_default",))
        left, right = (self.expression(fields[key], f"{where}.{key}", depth) for key in ("left", "right"))
        default = fields.get("by_zero_default")
        return Quotient(left, right, None if default is None else _number(default, f"{where}.by_zero_default"))

    def power(self, _: str, obj: object, where: str, depth: int) -> Expression:
        fields = _fields(obj, where, ("base", "exponent"))
        return Power(*(self.expression(fields[key], f"{where}.{key}", depth) for key in ("base", "exponent")))

    def datetime(self, _: str, obj: object, where: str, depth: int) -> Expression:
        if not isinstance(obj, str):
            raise _malformed(f"{where} must be a string")
        found = parse_datetime(obj)
        if found is None:
            raise BadInputError(f"Wrong input: Validation failed: failed to parse date-time {obj}")
        return Constant(found / 1e6)

    def datetime_key(self, _: str, obj: object, where: str, depth: int) -> Expression:
        return self._of_payload(DatetimeKey, obj)

    def geo_distance(self, _: str, obj: object, where: str, depth: int) -> Expression:
        fields = _fields(obj, where, ("origin", "to"))
        place = _fields(fields["origin"], f"{where}.origin", ("lon", "lat"))
        lon, lat = (_number(place[key], f"{where}.origin.{key}") for key in ("lon", "lat"))
        if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
            raise _malformed(f"{where}.origin is out of range: lon is from -180 to 180, lat from -90 to 90")
        path = self._path(fields["to"])
        default = self._defaults.get(str(path), msgspec.UNSET)
        return GeoDistance(fields["to"], path, default, origin=GeoPoint(lon, lat))

    def decay(self, name: str, obj: object, where: str, depth: int) -> Expression:
        fields = _fields(obj, where, ("x",), ("target", "scale", "midpoint"))
        scale, midpoint = (
            default if fields.get(key) is None else _number(fields[key], f"{where}.{key}")
            for key, default in (("scale", 1.0), ("midpoint", 0.5))
        )
        if scale <= 0.0:
            raise _refused(f"Decay scale should be non-zero positive, got {scale:g}.")
        if name == "lin_decay" and not 0.0 <= midpoint <= 1.0:
            raise _refused(f"Linear decay midpoint should be in the range [0.0, 1.0], got {midpoint:g}.")
        if name != "lin_decay" and not 0.0 < midpoint < 1.0:
            raise _refused(f"Decay midpoint should be in the range (0.0, 1.0), got {midpoint:g}.")
        x = self.expression(fields["x"], f"{where}.x", depth)
        target = fields.get("target")
        aim = Constant(0.0) if target is None else self.expression(target, f"{where}.target", depth)
        return Decay(name, x, aim, scale, midpoint)


_READERS = {
    "sum": _Parser.many,
    "mult": _Parser.many,
    "div": _Parser.quotient,
    "pow": _Parser.power,
    "datetime": _Parser.datetime,
    "datetime_key": _Parser.datetime_key,
    "geo_distance": _Parser.geo_distance,
    **dict.fromkeys(FUNCTIONS, _Parser.function),
    **dict.fromkeys(DECAYS, _Parser.decay),
}


def _fields(obj: object, where: str, needed: tuple[str, ...], known: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(obj, dict):
        raise _malformed(f"{where} must be an object")
    fields = cast("dict[str, Any]", obj)
    for key in needed:
        if key not in fields:
            raise _malformed(f"{where}.{key} is missing")
    for key in fields:
        if key not in needed and key not in known:
            raise _malformed(f"{where} has no field `{key}`")
    return fields


def _number(obj: object, where: str) -> float:
    if isinstance(obj, bool) or not isinstance(obj, int | float):
        raise _malformed(f"{where} must be a number")
    try:
        value = float(obj)
    except OverflowError:
        value = float("inf")
    if not isfinite(value):
        raise _malformed(f"{where} is too large")
    return value


def _path(name: str) -> Path:
    try:
        return parse_path(name)
    except BadInputError as error:
        raise BadInputError(
            f"Wrong input: Validation failed: failed to parse variable ID {name}: Invalid payload variable: {name}"
        ) from error


def _malformed(text: str) -> BadInputError:
    return BadInputError(f"Format error in JSON body: query.formula: {text}")


def _refused(text: str) -> BadInputError:
    return BadInputError(f"Wrong input: Validation failed: {text}")

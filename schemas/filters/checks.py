"""Small checks for the filter parser: each returns the value with its type, or says what is wrong and where."""

import math
from typing import Any, NoReturn, cast

from schemas.errors import BadInputError, UnprocessableError
from schemas.json_path import Path, parse_path

_SHOWN = 64
_INT64 = 1 << 63
_UINT64 = 1 << 64


def fail(where: str, problem: str) -> NoReturn:
    """Raise BadInputError: ``where`` is the path to what is wrong, ``filter.must[0].range.gt``."""
    raise BadInputError(f"Wrong input: {where}: {problem}")


def malformed(where: str, problem: str) -> NoReturn:
    """Raise BadInputError in Qdrant's words, for what its users know by them."""
    raise BadInputError(f"Format error in JSON body: {problem} at {where}")


def break_rule(where: str, rule: str) -> NoReturn:
    """Raise UnprocessableError: what stands at ``where`` is of the right form, but breaks ``rule``."""
    raise UnprocessableError(f"Validation error in JSON body: [{where}: {rule}]")


def describe(value: object) -> str:
    """What kind of JSON value it is, for messages."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, int) and value.bit_length() > 2 * 64:
        return f"an integer of {value.bit_length()} bits"
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."


def present(value: object, where: str, known: frozenset[str] | None = None) -> dict[str, Any]:
    """The fields of an object that are not null. Fields outside ``known`` are an error."""
    if not isinstance(value, dict):
        fail(where, f"expected an object, not {describe(value)}")
    fields = cast(dict[object, Any], value)
    if known is not None and known.issuperset(fields) and None not in fields.values():
        return cast(dict[str, Any], fields.copy())
    for name in fields:
        if not isinstance(name, str):
            fail(where, f"a field's name must be a string, not {describe(name)}")
        if known is not None and name not in known:
            fail(where, f"unknown field {describe(name)}, expected one of: {', '.join(sorted(known))}")
    return {cast(str, name): item for name, item in fields.items() if item is not None}


def required(fields: dict[str, Any], name: str, where: str) -> Any:
    """A field that must be there."""
    if name not in fields:
        fail(where, f"missing field {name!r}")
    return fields[name]


def array(value: object, where: str) -> list[Any]:
    """A JSON array."""
    if not isinstance(value, list):
        fail(where, f"expected an array, not {describe(value)}")
    return cast(list[Any], value)


def string(value: object, where: str) -> str:
    """A JSON string."""
    if not isinstance(value, str):
        fail(where, f"expected a string, not {describe(value)}")
    return value


def boolean(value: object, where: str) -> bool:
    """A JSON boolean."""
    if not isinstance(value, bool):
        fail(where, f"expected true or false, not {describe(value)}")
    return value


def integer(value: object, where: str, low: int = -_INT64, high: int = _INT64 - 1) -> int:
    """A JSON integer in [low, high], by default any of 64 bits with a sign."""
    if type(value) is not int:
        fail(where, f"expected an integer, not {describe(value)}")
    if not low <= value <= high:
        fail(where, f"{describe(value)} is out of range, must be between {low} and {high}")
    return value


def number(value: object, where: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A JSON number in [low, high] as float64."""
    result = float(exact_number(value, where))
    if not low <= result <= high:
        fail(where, f"{describe(value)} is out of range, must be between {low:g} and {high:g}")
    return result


def exact_number(value: object, where: str) -> int | float:
    """A finite JSON number as it is; an integer must fit 64 bits, as it must in a record."""
    if type(value) is int:
        if not -_INT64 <= value < _UINT64:
            fail(where, f"{describe(value)} is out of range for a number")
        return value
    if type(value) is not float or not math.isfinite(value):
        fail(where, f"expected a number, not {describe(value)}")
    return value


def path(value: object, where: str) -> Path:
    """A payload key."""
    text = string(value, where)
    try:
        return parse_path(text)
    except BadInputError as error:
        raise BadInputError(f"{error.message} at {where}") from error

"""What a value should have been, in serde's words, as far as msgspec's errors and the types of requests tell."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

_TYPE = re.compile(r"^Expected `(?P<wanted>bool|str|int|float|array|object)(?: \| null)?`, got `(?P<got>\w+)`$")
_WANTED = {
    "bool": "a boolean",
    "str": "a string",
    "int": "usize",
    "float": "f64",
    "array": "a sequence",
    "object": "a map",
}
_GOT = {
    "bool": "boolean",
    "str": "string",
    "int": "integer",
    "float": "floating point",
    "array": "sequence",
    "object": "map",
    "null": "null",
}
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+|\.\.\.)\]")
_LONGEST = 100


def wrong_type(what: str, value: Any) -> str | None:
    """For msgspec's ``Expected `int`, got `str```; None for other errors. ``value``: what was got, if it is known."""
    found = _TYPE.match(what)
    if found is None or found["got"] not in _GOT:
        return None
    got = _GOT[found["got"]]
    if isinstance(value, str) and len(value) <= _LONGEST:
        got = f"{got} {msgspec.json.encode(value).decode()}"
    elif isinstance(value, bool):
        got = f"{got} `{str(value).lower()}`"
    elif isinstance(value, int | float):
        got = f"{got} `{value}`"
    return f"invalid type: {got}, expected {_WANTED[found['wanted']]}"


def unknown_variant(given: str, kind: Any, path: str) -> str:
    """For a text that is none of those which a request of type ``kind`` has at a path."""
    known = [str(value) for value in _variants(kind, path)]
    told = " or ".join(f"`{value}`" for value in known)
    if len(known) > 2:
        told = "one of " + ", ".join(f"`{value}`" for value in known)
    return f"unknown variant `{given}`" + (f", expected {told}" if known else "")


def _variants(kind: Any, path: str) -> Sequence[Any]:
    for found in _types_at(kind, path):
        if isinstance(found, inspect.EnumType):
            return [member.value for member in found.cls]
        if isinstance(found, inspect.LiteralType):
            return found.values
    return []


@cache
def _type(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _types_at(kind: Any, path: str) -> list[inspect.Type]:
    """The types that a value at a path, as msgspec tells it, may have."""
    types = _flat(_type(kind))
    for step in _STEP.finditer(path.removeprefix("$")):
        types = [inner for found in types for inner in _flat(_inside(found, step["key"]))]
    return types


def _flat(found: inspect.Type | None) -> list[inspect.Type]:
    match found:
        case None:
            return []
        case inspect.UnionType():
            return [inner for each in found.types for inner in _flat(each)]
        case inspect.Metadata():
            return _flat(found.type)
        case _:
            return [found]


def _inside(found: inspect.Type, key: str | None) -> inspect.Type | None:
    match found:
        case inspect.StructType() if key is not None:
            return next((field.type for field in found.fields if field.encode_name == key), None)
        case inspect.DictType():
            return found.value_type
        case inspect.ListType() | inspect.VarTupleType() if key is None:
            return found.item_type
        case _:
            return None

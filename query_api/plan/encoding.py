"""Plans as bytes: what one process plans, another may find.

MessagePack. A scalar is itself; everything else is an array that begins with what it is: the name of a class, before
its fields in order, or a sign. Integers beyond 64 bits, as ids are, are extensions of type 1: 17 bytes, big-endian and
signed.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from query_api.plan.facet import Facet
from query_api.plan.leaves import Leaf
from query_api.plan.tree import GroupPlan, Inner, Plan
from schemas.filters import Filter
from schemas.ids import PointId

SentT = TypeVar("SentT")

_TUPLE, _SET, _LIST, _OBJECT, _UNSET = "(", "{", "[", ":", "?"
_BIG_INTEGER = 1
_BIG_BYTES = 17
_LEAST, _BEYOND = -(1 << 63), 1 << 64
_encoder = msgspec.msgpack.Encoder()


class PlanEncodingError(ValueError):
    """Bytes that are no plan as this release knows them."""


def encode(value: object) -> bytes:
    """A plan, a leaf, a facet or a filter as bytes."""
    return _encoder.encode(_packed(value))


def decode(data: bytes, kind: type[SentT]) -> SentT:
    """What ``encode`` was given, which is a ``kind``. Raises PlanEncodingError."""
    try:
        value = _unpacked(msgspec.msgpack.decode(data, ext_hook=_extension))
    except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
        raise PlanEncodingError(f"no plan of this release: {error}") from error
    if not isinstance(value, kind):
        raise PlanEncodingError(f"a {type(value).__name__}, not a {kind.__name__}")
    return value


def _packed(value: Any) -> Any:
    match value:
        case Enum():
            return [type(value).__name__, value.value]
        case None | bool() | str() | bytes() | float():
            return value
        case int():
            return value if _LEAST <= value < _BEYOND else _big(value)
        case tuple():
            return [_TUPLE, *map(_packed, cast("tuple[Any, ...]", value))]
        case frozenset():
            return [_SET, *map(_packed, sorted(cast("frozenset[Any]", value), key=_by_kind))]
        case list():
            return [_LIST, *map(_packed, cast("list[Any]", value))]
        case dict():
            pairs = cast("dict[str, Any]", value).items()
            return [_OBJECT, *(_packed(item) for pair in pairs for item in pair)]
        case msgspec.UnsetType():
            return [_UNSET]
        case _:
            return [type(value).__name__, *(_packed(getattr(value, name)) for name in _FIELDS[type(value)])]


def _by_kind(item: Any) -> tuple[str, Any]:
    return type(item).__name__, item


def _unpacked(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    sign, *items = map(_unpacked, cast("list[Any]", value))
    match sign:
        case "(":
            return tuple(items)
        case "{":
            return frozenset(items)
        case "[":
            return items
        case ":":
            return dict(zip(items[::2], items[1::2], strict=True))
        case "?":
            return msgspec.UNSET
        case _:
            return _made(_CLASSES[sign], items)


def _made(cls: type[Any], items: list[Any]) -> Any:
    if issubclass(cls, Enum):
        return cls(*items)
    return cls(**dict(zip(_FIELDS[cls], items, strict=True)))


def _big(value: int) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(_BIG_INTEGER, value.to_bytes(_BIG_BYTES, "big", signed=True))


def _extension(code: int, data: memoryview) -> int:
    if code != _BIG_INTEGER or len(data) != _BIG_BYTES:
        raise PlanEncodingError(f"an extension of type {code}")
    return PointId(int.from_bytes(data, "big", signed=True))


def _hints(cls: type[Any]) -> Mapping[str, Any]:
    """A class's fields and their types; an enum has none."""
    if issubclass(cls, msgspec.Struct):
        return {field.name: field.type for field in msgspec.structs.fields(cls)}
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else {}


def _within(hint: Any) -> Iterator[type[Any]]:
    """The classes that a type is made of."""
    if isinstance(hint, type) and get_origin(hint) is None:
        yield hint
    elif get_origin(hint) in (Union, UnionType) or get_args(hint):
        for part in get_args(hint):
            yield from _within(part)


def _reachable(*roots: type[Any]) -> dict[str, type[Any]]:
    """The classes whose values may be in such values, by name."""
    found: dict[str, type[Any]] = {}
    waiting = list(roots)
    while waiting:
        cls = waiting.pop()
        if not (issubclass(cls, msgspec.Struct | Enum) or dataclasses.is_dataclass(cls)):
            continue
        known = found.get(cls.__name__)
        if known is cls:
            continue
        if known is not None:
            raise AssertionError(f"two classes are named {cls.__name__}")
        found[cls.__name__] = cls
        waiting += [part for hint in _hints(cls).values() for part in _within(hint)]
    return found


def _kinds(cls: type[Any]) -> Iterator[type[Any]]:
    """What stands for a class: its subclasses, and theirs."""
    yield cls
    for kind in cls.__subclasses__():
        yield from _kinds(kind)


_CLASSES = _reachable(Plan, GroupPlan, Facet, Filter, *_kinds(Leaf), *_kinds(Inner))
_FIELDS = {cls: tuple(_hints(cls)) for cls in _CLASSES.values()}

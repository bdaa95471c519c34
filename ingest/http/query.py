"""Query parameters: how each one is read, and which an endpoint takes. Others are ignored, as in Qdrant."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from schemas.errors import BadInputError, HeadwaterError, UnprocessableError

MAX_FIELDS = 100
_MAX_COUNT = (1 << 64) - 1
_ORDERINGS = ("weak", "medium", "strong")
_CONSISTENCIES = ("majority", "quorum", "all")

Reader = Callable[[str, str], Any]
"""Reads the value of a parameter, given its name and text. Raises BadInputError, UnprocessableError."""
Parameters = Mapping[str, Reader]
"""The parameters of an endpoint. One mapping each, made once: what was parsed is remembered by its identity."""


class Params(msgspec.Struct, frozen=True):
    """What followed the path. ``ordering`` and ``consistency`` are checked: there is one order, and one copy.

    ``declined``: ``wait`` is false because the client said so. ``others`` holds what only some endpoints take.
    """

    wait: bool = False
    declined: bool = False
    timeout: int | None = None
    ordering: str = "weak"
    consistency: str | None = None
    others: Mapping[str, Any] = MappingProxyType({})


NO_PARAMS = Params()


def read_flag(name: str, text: str) -> bool:
    """``true`` or ``false``."""
    if text not in ("true", "false"):
        raise _wrong("provided string was not `true` or `false`")
    return text == "true"


def read_count(name: str, text: str) -> int:
    """A whole number; what is larger than 2^64 - 1 counts as that."""
    if not text:
        raise _wrong("cannot parse integer from empty string")
    if not (text.isascii() and text.removeprefix("+").isdigit()):
        raise _wrong("invalid digit found in string")
    # Leading zeros don't count; without a bound int() would take a megabyte of digits, slowly.
    digits = text.removeprefix("+").lstrip("0") or "0"
    return _MAX_COUNT if len(digits) > 20 else min(int(digits), _MAX_COUNT)


def read_text(name: str, text: str) -> str:
    """Any text."""
    return text


def _duration(name: str, text: str) -> int:
    if text.startswith("-") and text[1:].isdigit():
        raise _wrong("std::time::Duration cannot be negative")
    return read_count(name, text)


def _at_least_one(name: str, text: str) -> int:
    value = read_count(name, text)
    if value == 0:
        raise _wrong("invalid value: integer `0`, expected a nonzero u64")
    return value


def _validated_timeout(name: str, text: str) -> int:
    value = read_count(name, text)
    if value == 0:
        raise UnprocessableError(
            f"Validation error in query parameters: [{name}: value 0 invalid, must be 1 or larger]"
        )
    return value


def _ordering(name: str, text: str) -> str:
    if text not in _ORDERINGS:
        raise _wrong(f"unknown variant `{text}`, expected one of `weak`, `medium`, `strong`")
    return text


def _consistency(name: str, text: str) -> str | None:
    if not text:
        return None
    if text in _CONSISTENCIES or (text.isascii() and text.isdigit() and len(text) < 20 and int(text) > 0):
        return text
    raise _wrong(f"failed to deserialize read consistency query parameter value '{text}'")


WRITES: Parameters = MappingProxyType({"wait": read_flag, "ordering": _ordering, "timeout": _duration})
"""Of changes to points. A timeout of 0 is as none: the server's own holds."""
READS: Parameters = MappingProxyType({"consistency": _consistency, "timeout": _at_least_one})
"""Of reads of points."""
CATALOG: Parameters = MappingProxyType({"timeout": _validated_timeout})
"""Of changes to collections and aliases."""
NONE: Parameters = MappingProxyType({})
_FIELDS = frozenset(Params.__struct_fields__) - {"others"}


class ParamsParser:
    """Parses the query strings of one endpoint."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._parse = lru_cache(maxsize=256)(self._parse_text)

    def parse(self, query: bytes) -> Params:
        """The parameters in a query string. Raises BadInputError, UnprocessableError."""
        return self._parse(query) if query and self._parameters else NO_PARAMS

    def _parse_text(self, query: bytes) -> Params:
        try:
            pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError as error:
            raise _wrong(str(error)) from error
        found: dict[str, Any] = {}
        for name, text in pairs:
            reader = self._parameters.get(name)
            if reader is None:
                continue
            if name in found:
                raise _wrong(f"duplicate field `{name}`")
            found[name] = reader(name, text)
        found["declined"] = found.get("wait") is False
        others = {name: found.pop(name) for name in list(found) if name not in _FIELDS}
        return Params(**found, others=others)


def _wrong(what: str) -> HeadwaterError:
    return BadInputError(f"Deserialize error in query parameters: {what}")

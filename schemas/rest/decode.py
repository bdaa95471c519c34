"""Decode a request body, and say what is wrong with it as Qdrant does: format errors are 400, broken limits 422."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from schemas.errors import BadInputError, HeadwaterError, UnprocessableError
from schemas.ids import not_an_id
from schemas.rest.json_syntax import syntax_error
from schemas.rest.type_words import unknown_variant, wrong_type

RequestT = TypeVar("RequestT")

MAX_OBJECTS = 1 << 18
"""Objects and arrays in what ``check_density`` lets pass. ``{},`` takes up to fifty times its text once decoded."""
MAX_VALUES = 4 << 20
"""Values there: as many as are in 32 MiB, at eight bytes each."""
_MOST_NESTED = 256
UNCOUNTED_BYTES = 256 << 10
"""A text that is no larger is decoded without a look at what is in it."""

_AT = re.compile(r"^(?P<what>.*) - at `(?P<path>[^`]*)`$", re.DOTALL)
_LIMIT = re.compile(r"^Expected `(?P<kind>\w+)` (?P<limit>(?:>=|<=|>|<|of length|matching) ?.*)$", re.DOTALL)
_BOUND = re.compile(r"^(?P<sign>>=|<=) (?P<bound>\S+)$")
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
_OF_THE_TYPE = {">= 0": "usize", f"<= {2**32 - 1}": "u32"}
"""Limits of the unsigned types that Qdrant reads into, by these: what breaks them is of the wrong type there."""
_ID = re.compile(r"^Expected `int \| str(?: \| null)?`, got `(?P<got>\w+)`")
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]*)`$")
_VARIANT = re.compile(r"^Invalid enum value '(?P<given>.*)'$", re.DOTALL)
_OPEN = {"array": "[...]", "object": "{...}"}
_NO_NUMBER = "Number out of range"
_OF_AN_ID = re.compile(r"(?:^|\.)(?:id|offset|(?:ids|points)\[(?:\d+|\.\.\.)\])$")
_UINT64 = 1 << 64
_SHOWN = 1e40
"""Larger numbers are not quoted: they may have any number of digits."""

MAX_TOLD_BYTES = 4 << 10
"""A body that is no JSON is looked through for the place if it is no longer: that takes a few microseconds a byte."""


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """A body that came otherwise than as JSON: what JSON's would be, decoded without a type.

    Parts that requests leave undecoded are ``msgspec.Raw``, and structs of requests may stand for their objects.
    ``source`` is what it was made of.
    """

    value: Any
    source: bytes

    def __len__(self) -> int:
        return len(self.source)


def decode_body(decoder: msgspec.json.Decoder[RequestT], body: bytes | ParsedBody) -> RequestT:
    """The request in ``body``.

    Raises BadInputError for text that is not JSON or not of the expected shape, UnprocessableError for a value
    outside its limits.
    """
    if isinstance(body, ParsedBody):
        return convert_part(body.value, decoder.type, "")
    if not body:
        raise BadInputError("Format error in JSON body: EOF while parsing a value at line 1 column 0")
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        if _is_syntax(error) and len(body) <= MAX_TOLD_BYTES and (found := syntax_error(body)):
            raise BadInputError(f"Format error in JSON body: {found}") from error
        raise explain(error, decoder.type, read=lambda: _read(body)) from error


def _is_syntax(error: Exception) -> bool:
    """Whether a text is no JSON, rather than JSON of another shape."""
    if isinstance(error, msgspec.ValidationError):
        return str(error).startswith(_NO_NUMBER)
    return isinstance(error, msgspec.DecodeError)


def check_density(text: bytes, what: str, values: int = MAX_VALUES) -> None:
    """Raise UnprocessableError when ``text``, JSON, would take much more memory decoded than it does as text."""
    # Decoders check a list's length when they have all of it. What stands in strings is counted, too; what this is
    # for has few.
    if len(text) <= UNCOUNTED_BYTES:
        return
    if text.count(b"{") + text.count(b"[") > MAX_OBJECTS:
        raise UnprocessableError(f"Validation error in JSON body: [{what}: at most {MAX_OBJECTS} objects and arrays]")
    if text.count(b",") > values:
        raise UnprocessableError(f"Validation error in JSON body: [{what}: at most {values} values]")


def decode_part(decoder: msgspec.json.Decoder[RequestT], text: bytes | msgspec.Raw, path: str) -> RequestT:
    """A part of a body that was left undecoded; ``path`` is where it stood. Raises as ``decode_body``."""
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise explain(error, decoder.type, path, lambda: _read(bytes(text))) from error


def convert_part(value: object, kind: type[RequestT], path: str) -> RequestT:
    """A part of a body that was decoded without a type; ``path`` is where it stood. Raises as ``decode_body``."""
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise explain(error, kind, path, lambda: value) from error


def explain(error: Exception, kind: Any, prefix: str = "", read: Callable[[], Any] = lambda: None) -> HeadwaterError:
    """The error to answer for one that msgspec raised.

    ``kind`` is the type that something should have been decoded into, ``prefix`` its path; ``read`` gives it decoded
    without a type, None where that is too much.
    """
    if isinstance(error, RecursionError):
        return BadInputError("Format error in JSON body: nested too deeply")
    if isinstance(error, UnicodeDecodeError):
        return BadInputError("Format error in JSON body: a string is not valid UTF-8")
    text = str(error)
    at = _AT.match(text)
    what, inner = (at["what"], at["path"]) if at else (text, "$")
    path = _join(prefix, inner)
    limit = _LIMIT.match(what)
    if limit and limit["limit"] in _OF_THE_TYPE:
        value, wanted = _number_at(read(), inner), _OF_THE_TYPE[limit["limit"]]
        found = "integer" if value is None else f"integer `{value}`"
        return BadInputError(f"Format error in JSON body: invalid value: {found}, expected {wanted} at {path}")
    if limit and (bound := _BOUND.match(limit["limit"])):
        return _out_of_bounds(path, bound, limit["kind"], _number_at(read(), inner))
    if limit:
        return UnprocessableError(f"Validation error in JSON body: [{path}: value invalid, must be {limit['limit']}]")
    where = f" at {path}" if path else ""
    if (found := _ID.match(what)) and _OF_AN_ID.search(path):
        value = _OPEN.get(found["got"]) or _value_at(read(), inner)
        return BadInputError(f"Format error in JSON body: {not_an_id(value).message}{where}")
    if missing := _MISSING.match(what):
        what = f"missing field `{missing['field']}`"
    elif variant := _VARIANT.match(what):
        what = unknown_variant(variant["given"], kind, inner)
    else:
        what = wrong_type(what, _value_at(read(), inner)) or what
    return BadInputError(f"Format error in JSON body: {what}{where}")


def _out_of_bounds(path: str, bound: re.Match[str], kind: str, value: float | None) -> HeadwaterError:
    if kind == "int" and value is not None and value < 0:
        # Whole numbers that have a bound are unsigned in Qdrant.
        return BadInputError(f"Format error in JSON body: invalid value: integer `{value}`, expected usize at {path}")
    if kind == "int" and value is not None and value >= _UINT64:
        found = f"floating point `{float(value):g}`"
        return BadInputError(f"Format error in JSON body: invalid type: {found}, expected usize at {path}")
    shown = "value" if value is None else f"value {value}"
    must = f"{bound['bound']} or {'larger' if bound['sign'] == '>=' else 'smaller'}"
    return UnprocessableError(f"Validation error in JSON body: [{path}: {shown} invalid, must be {must}]")


def _read(text: bytes) -> Any:
    # What is said must not depend on how deep the stack is: what nests deeper than this is not looked into.
    if len(text) > UNCOUNTED_BYTES or text.count(b"[") + text.count(b"{") > _MOST_NESTED:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):  # further on than what is told
        return None


def _value_at(value: Any, path: str) -> Any:
    """What is in ``value`` at a path as msgspec gives it; None when that is not to be told from the path."""
    if "[...]" in path:
        return None
    for step in _STEP.finditer(path.removeprefix("$")):
        try:
            value = value[step["key"] if step["index"] is None else int(step["index"])]
        except (LookupError, TypeError):
            return None
    return value


def _number_at(value: Any, path: str) -> float | None:
    """The number there, None where there is none."""
    value = _value_at(value, path)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number and abs(value) < _SHOWN else None


def _join(prefix: str, path: str) -> str:
    inner = path.removeprefix("$").removeprefix(".")
    if not prefix or not inner:
        return prefix or inner
    return f"{prefix}{inner}" if inner.startswith("[") else f"{prefix}.{inner}"

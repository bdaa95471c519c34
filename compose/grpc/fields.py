"""Messages as the JSON of REST: most fields have the same names and meanings there."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Any

from google.protobuf.message import Message

from schemas.errors import BadInputError

Json = Any
Descriptor = Any
"""Of a field or an enumeration: protobuf has two classes for each, which share no base."""
Reader = Callable[[Any], Json]
READERS: dict[str, Reader] = {}
"""How messages are read that REST writes in another form, by their names."""
ENUMS: dict[str, Callable[[str], Json]] = {}
"""How values of enumerations are named in REST, where that isn't their name in lower case with underscores."""
_plans: dict[type[Message], "_Plan"] = {}
_readers: dict[type[Message], Reader] = {}
"""By class what ``READERS`` has by name: asking a message for its name takes longer than reading some do."""
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def reads(*names: str) -> Callable[[Reader], Reader]:
    """Let a function read the messages of these names."""

    def register(reader: Reader) -> Reader:
        READERS.update(dict.fromkeys(names, reader))
        return reader

    return register


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the fields of one message are read.

    ``always``: those whose value can't be told to be missing, so that they are there even where it is the default.
    """

    readers: dict[str, Reader]
    always: dict[str, Any]


def read(message: Message) -> Json:
    """Any message as JSON. Raises BadInputError."""
    kind = type(message)
    reader = _readers.get(kind)
    if reader is None:
        reader = _readers[kind] = READERS.get(message.DESCRIPTOR.name, read_fields)
    return reader(message)


def read_all(messages: Iterable[Message]) -> list[Json]:
    """Several messages."""
    return [read(message) for message in messages]


def read_fields(message: Message, *without: str, **names: str) -> dict[str, Json]:
    """The fields of a message that are set, but for some; ``names``: those with another name in REST.

    A single value that can't be told to be missing is always there; what is repeated is there when it has values.
    Raises BadInputError for a number that JSON has no way to write.
    """
    plan = _plans.get(type(message)) or _plan(type(message))
    values = plan.always.copy()
    for field, value in message.ListFields():
        values[field.name] = value
    found: dict[str, Json] = {}
    for name, value in values.items():
        if name not in without and (read_value := plan.readers[name](value)) is not None:
            found[names.get(name, name)] = read_value
    return found


def variant(message: Message, oneof: str) -> tuple[str, Any] | None:
    """Which of several alternatives is set, and its value; None: none is."""
    name: str | None = message.WhichOneof(oneof)
    return None if name is None else (name, getattr(message, name))


def is_map(field: Descriptor) -> bool:
    """Whether a field maps keys to values."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def snake(name: str) -> str:
    """``AverageVector`` as ``average_vector``."""
    return _HUMP.sub("_", name).lower()


def _plan(kind: type[Message]) -> _Plan:
    fields: list[Descriptor] = list(kind.DESCRIPTOR.fields)
    always = {f.name: f.default_value for f in fields if not f.has_presence and not f.is_repeated}
    plan = _plans[kind] = _Plan({field.name: _reader_of(field) for field in fields}, always)
    return plan


def _reader_of(field: Descriptor) -> Reader:
    if is_map(field):
        of_one = _reader_of_one(field.message_type.fields_by_name["value"])
        return lambda entries: {key: of_one(entries[key]) for key in entries}
    of_one = _reader_of_one(field)
    return (lambda values: [of_one(value) for value in values]) if field.is_repeated else of_one


def _reader_of_one(field: Descriptor) -> Reader:
    if field.message_type is not None:
        return read
    if field.enum_type is not None:
        enum = field.enum_type
        return lambda number: _read_enum(enum, number)
    if field.cpp_type in (field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT):
        return _finite
    return _same


def _same(value: Any) -> Json:
    return value


def _finite(value: float) -> Json:
    if not isfinite(value):
        raise BadInputError(f"Format error in JSON body: invalid value: floating point `{value}`, expected a number")
    return value


def _read_enum(enum: Descriptor, number: int) -> Json:
    found = enum.values_by_number.get(number)
    name = f"unknown {number}" if found is None else found.name
    return ENUMS.get(enum.name, snake)(name)

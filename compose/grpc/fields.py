"""Messages as the JSON of REST: most fields have the same names and meanings there."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.message import Message

Json = Any
Descriptor = Any
"""Of a field or an enumeration: protobuf has two classes for each, which share no base."""
Reader = Callable[[Any], Json]
READERS: dict[str, Reader] = {}
"""How messages are read that REST writes in another form, by their names."""
ENUMS: dict[str, Callable[[str], Json]] = {}
"""How values of enumerations are named in REST, where that isn't their name in lower case with underscores."""
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def reads(*names: str) -> Callable[[Reader], Reader]:
    """Let a function read the messages of these names."""

    def register(reader: Reader) -> Reader:
        READERS.update(dict.fromkeys(names, reader))
        return reader

    return register


def read(message: Message) -> Json:
    """Any message as JSON."""
    reader = READERS.get(str(message.DESCRIPTOR.name))
    return read_fields(message) if reader is None else reader(message)


def read_all(messages: Iterable[Message]) -> list[Json]:
    """Several messages."""
    return [read(message) for message in messages]


def read_fields(message: Message, *without: str, **names: str) -> dict[str, Json]:
    """The fields of a message that are set, but for some; ``names``: those with another name in REST.

    A single value that can't be told to be missing is always there; what is repeated is there when it has values.
    """
    found: dict[str, Json] = {}
    descriptor: Descriptor = message.DESCRIPTOR
    for field in descriptor.fields:
        if field.name in without or not _is_there(message, field):
            continue
        value = _read_field(message, field)
        if value is not None:
            name = str(field.name)
            found[names.get(name, name)] = value
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


def _is_there(message: Message, field: Descriptor) -> bool:
    if field.is_repeated:
        return bool(getattr(message, field.name))
    return not field.has_presence or message.HasField(field.name)


def _read_field(message: Message, field: Descriptor) -> Json:
    value = getattr(message, field.name)
    if is_map(field):
        inner = field.message_type.fields_by_name["value"]
        return {key: _read_value(inner, value[key]) for key in value}
    if field.is_repeated:
        return [_read_value(field, one) for one in value]
    return _read_value(field, value)


def _read_value(field: Descriptor, value: Any) -> Json:
    if field.message_type is not None:
        return read(value)
    return value if field.enum_type is None else _read_enum(field.enum_type, value)


def _read_enum(enum: Descriptor, number: int) -> Json:
    found = enum.values_by_number.get(number)
    name = f"unknown {number}" if found is None else found.name
    return ENUMS.get(enum.name, snake)(name)

"""How much memory a message takes once protobuf has parsed it, told from its bytes: small parts take far more there."""

from collections.abc import Iterable

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from compose.grpc.fields import Descriptor, is_map
from projector.kernel import WireSchema
from schemas.errors import TooLargeError

_HEAD_BYTES = 16
"""Of a message, beside a place for each of its fields; alternatives share one."""
_POINTER_BYTES = 8
_TEXT_BYTES = 16
_SHORT_BYTES = 4
_CHOICE_BYTES = 24
_GROWTH = 4
"""A list has up to twice the places that it needs, and leaves as much behind as it grows."""
_ENTRY_BYTES = 96
"""Of a map, beside a message of key and value."""
_UNKNOWN_BYTES = 64
_FIXED = frozenset(
    {FieldDescriptor.TYPE_FIXED32, FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_SFIXED32}
    | {FieldDescriptor.TYPE_SFIXED64, FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE}
)
"""Packed, these take as much as on the wire."""
_SHORT = frozenset(
    {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_FLOAT}
    | {FieldDescriptor.CPPTYPE_BOOL, FieldDescriptor.CPPTYPE_ENUM}
)

_Field = tuple[int | None, int, int]


class ParsedSizes:
    """Of the messages of requests. A part takes some nanoseconds to count."""

    def __init__(self, requests: Iterable[type[Message]], limit: int) -> None:
        """``limit``: how many bytes one message may take."""
        self._limit = limit
        self._places: dict[str, int] = {}
        self._messages: list[dict[int, _Field]] = []
        self._requests = {request: self._place_of(request.DESCRIPTOR) for request in requests}
        self._schema = WireSchema(self._messages, _UNKNOWN_BYTES)

    def size(self, request: type[Message], data: bytes) -> int:
        """About how many bytes a message takes, those that it came as included. Raises TooLargeError."""
        size = self._schema.parsed_size(data, self._requests[request], self._limit)
        if size > self._limit:
            raise TooLargeError(
                f"Validation error in JSON body: [a message of {len(data)} bytes has so many small parts that it takes "
                f"more than {self._limit} bytes once read; send fewer at a time]"
            )
        return size

    def _place_of(self, descriptor: Descriptor) -> int:
        name = str(descriptor.full_name)
        found = self._places.get(name)
        if found is not None:
            return found
        place = self._places[name] = len(self._messages)
        fields: dict[int, _Field] = {}
        self._messages.append(fields)
        for field in descriptor.fields:
            fields[int(field.number)] = self._field(field)
        return place

    def _field(self, field: Descriptor) -> _Field:
        inner = field.message_type
        if inner is not None:
            place, size = self._place_of(inner), _message_bytes(inner)
            if is_map(field):
                return place, size + _ENTRY_BYTES, 0
            return place, size + (_GROWTH * _POINTER_BYTES if field.is_repeated else 0), 0
        if not field.is_repeated:
            return None, 0, 0
        size = _value_bytes(field)
        return None, _GROWTH * size, 0 if field.type in _FIXED else _GROWTH * size


def _message_bytes(descriptor: Descriptor) -> int:
    choices = [oneof for oneof in descriptor.oneofs if len(oneof.fields) > 1]
    chosen = {field.name for oneof in choices for field in oneof.fields}
    alone = sum(_value_bytes(field) for field in descriptor.fields if field.name not in chosen)
    return _HEAD_BYTES + alone + _CHOICE_BYTES * len(choices)


def _value_bytes(field: Descriptor) -> int:
    if field.cpp_type == field.CPPTYPE_STRING:
        return _TEXT_BYTES
    return _SHORT_BYTES if field.cpp_type in _SHORT and field.is_repeated else _POINTER_BYTES

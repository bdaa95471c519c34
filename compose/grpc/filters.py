"""Filters as REST writes them."""

from typing import Any

from compose.grpc.fields import Json, read, read_fields, reads, variant
from schemas.errors import BadInputError

_MATCHES = {
    "keyword": "value",
    "integer": "value",
    "boolean": "value",
    "keywords": "any",
    "integers": "any",
    "except_keywords": "except",
    "except_integers": "except",
}
"""Under which name REST has each kind of match; the others have the same there."""


@reads("Filter")
def read_filter(message: Any) -> Json:
    """A filter; conditions that say nothing are left out."""
    found = {name: _conditions(getattr(message, name)) for name in ("should", "must", "must_not")}
    filled: dict[str, Json] = {name: conditions for name, conditions in found.items() if conditions}
    if message.HasField("min_should"):
        few = message.min_should
        filled["min_should"] = {"conditions": _conditions(few.conditions), "min_count": few.min_count}
    return filled


def _conditions(messages: Any) -> list[Json]:
    return [read(message) for message in messages if message.WhichOneof("condition_one_of") is not None]


@reads("Condition")
def read_condition(message: Any) -> Json:
    """One condition. Raises BadInputError."""
    chosen = variant(message, "condition_one_of")
    if chosen is None:
        raise BadInputError("Malformed Condition type")
    name, value = chosen
    if name in ("field", "filter"):
        return read(value)
    if name == "has_id":
        return {"has_id": [read(one) for one in value.has_id]}
    return {name: value.has_vector if name == "has_vector" else read(value)}


@reads("FieldCondition")
def _field_condition(message: Any) -> Json:
    return read_fields(message, datetime_range="range")


@reads("Match")
def _match(message: Any) -> Json:
    chosen = variant(message, "match_value")
    if chosen is None:
        raise BadInputError("Malformed Match condition")
    name, value = chosen
    return {_MATCHES.get(name, name): read(value) if hasattr(value, "DESCRIPTOR") else value}


@reads("RepeatedStrings")
def _strings(message: Any) -> Json:
    return list(message.strings)


@reads("RepeatedIntegers")
def _integers(message: Any) -> Json:
    return list(message.integers)

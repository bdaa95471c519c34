"""Fields of a foreign record that mean nothing: ignored, as the REST API ignores them, but told."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from prometheus_client import Counter

from ingest.foreign.bodies import Body, request_fields
from schemas.errors import HeadwaterError

UNKNOWN_FIELDS = Counter(
    "headwater_unknown_fields_total", "Times that a record of another producer was read with a field that means nothing"
)

_body_decoder = msgspec.json.Decoder(Body)
_keys_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OF_EVERY_BODY = frozenset(field.encode_name for field in msgspec.structs.fields(Body))


class _OnePoint(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What most records are; the values are looked at elsewhere."""

    collection_name: str
    id: msgspec.Raw
    vector: msgspec.Raw
    payload: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_one_point_decoder = msgspec.json.Decoder(_OnePoint)


def look_at(value: bytes) -> tuple[str | None, list[str]]:
    """The collection that a record's JSON names, and the names of its fields that mean nothing there.

    None and no names where it can't be read at all.
    """
    with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _one_point_decoder.decode(value).collection_name, []
    try:
        body = _body_decoder.decode(value)
        kind = body.kind()
        given: Mapping[str, Any] = _keys_decoder.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, HeadwaterError):
        return None, []
    known = _OF_EVERY_BODY if kind is None else _OF_EVERY_BODY | request_fields(kind)
    return body.collection_name, [name for name in given if name not in known]


def count_unknown(value: bytes) -> None:
    """Count a record, which was read, if it has any."""
    if look_at(value)[1]:
        UNKNOWN_FIELDS.inc()

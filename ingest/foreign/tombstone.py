"""Tombstones: a message without a value deletes the point that its key names."""

import msgspec

from ingest.foreign.writes import Tombstone
from ingest.log import Headers
from schemas.errors import BadInputError
from schemas.ids import parse_point_id, to_wire
from schemas.rest.decode import decode_body
from schemas.rest.points import JsonId

COLLECTION_HEADER = "collection_name"
_LONGEST_NUMBER = 20
"""Digits of 2**64 - 1."""


class _Key(msgspec.Struct):
    id: JsonId
    collection_name: str | None = None


_key_decoder = msgspec.json.Decoder(_Key)
_string_decoder = msgspec.json.Decoder(str)


def read_tombstone(key: bytes | None, headers: Headers) -> Tombstone:
    """The delete that a message without a value means.

    The key is a JSON object with ``id``, or the id itself, as text or as a JSON string. The collection is named by the
    object's ``collection_name``, else by the header of that name. Raises BadInputError, UnprocessableError.
    """
    if not key:
        raise BadInputError("Wrong input: a message without a value deletes the point in its key, but it has no key")
    text = key.strip()
    if text.startswith(b"{"):
        named = decode_body(_key_decoder, text)
        collection, point_id = named.collection_name, named.id
    else:
        collection, point_id = None, _plain_id(text)
    if collection is None:
        collection = _collection_header(headers)
    try:
        return Tombstone(collection, to_wire(parse_point_id(point_id)))
    except BadInputError as error:
        raise BadInputError(f"Wrong input: key: {error.message}") from error


def _plain_id(text: bytes) -> JsonId:
    if text.isdigit() and len(text) <= _LONGEST_NUMBER:
        return int(text)
    if text.startswith(b'"'):
        return decode_body(_string_decoder, text)
    return text.decode(errors="replace")


def _collection_header(headers: Headers) -> str:
    for name, value in headers:
        if name == COLLECTION_HEADER:
            try:
                return value.decode()
            except UnicodeDecodeError as error:
                raise BadInputError(f"Wrong input: the header {COLLECTION_HEADER} is not UTF-8") from error
    raise BadInputError(
        f"Wrong input: neither the key nor a header {COLLECTION_HEADER} names the collection of the point to delete"
    )

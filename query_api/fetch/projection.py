"""Parts of a payload, cut out of its JSON without decoding what is kept or dropped whole.

As Qdrant does it: along a path, ``[]`` steps into arrays and an index never matches; what lies on the way to an
included value is kept with whatever of it is no object and no array.
"""

from collections.abc import Sequence

import msgspec

from schemas.json_path import EACH, Step

Steps = tuple[Step, ...]

_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_encode = msgspec.json.encode


def include(json: bytes, paths: Sequence[Steps]) -> bytes:
    """The object ``json`` with only what ``paths``, none of them empty, lead to."""
    return bytes(_include(msgspec.Raw(json), paths))


def exclude(json: bytes, paths: Sequence[Steps]) -> bytes:
    """The object ``json`` without what ``paths``, none of them empty, lead to."""
    return bytes(_exclude(msgspec.Raw(json), paths))


def _include(value: msgspec.Raw, paths: Sequence[Steps]) -> msgspec.Raw:
    match _first_byte(value):
        case b"{":
            kept: dict[str, msgspec.Raw] = {}
            for key, item in _object_decoder.decode(value).items():
                rest = _after(key, paths)
                if rest:
                    kept[key] = item if () in rest else _include(item, rest)
            return msgspec.Raw(_encode(kept))
        case b"[":
            rest = _after(EACH, paths)
            items = _array_decoder.decode(value) if rest else []
            return msgspec.Raw(_encode([item if () in rest else _include(item, rest) for item in items]))
        case _:
            return value


def _exclude(value: msgspec.Raw, paths: Sequence[Steps]) -> msgspec.Raw:
    match _first_byte(value):
        case b"{":
            kept: dict[str, msgspec.Raw] = {}
            for key, item in _object_decoder.decode(value).items():
                rest = _after(key, paths)
                if () not in rest:
                    kept[key] = _exclude(item, rest) if rest else item
            return msgspec.Raw(_encode(kept))
        case b"[":
            rest = _after(EACH, paths)
            if not rest:
                return value
            items = [] if () in rest else _array_decoder.decode(value)
            return msgspec.Raw(_encode([_exclude(item, rest) for item in items]))
        case _:
            return value


def _after(step: Step, paths: Sequence[Steps]) -> list[Steps]:
    """What is left of the paths that begin with ``step``."""
    return [path[1:] for path in paths if path[0] == step]


def _first_byte(value: msgspec.Raw) -> bytes:
    return bytes(value).lstrip()[:1]

"""What the requests that read have in common: filters, ids, and what to fetch of points."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from query_api.plan.selection import PayloadExclude, PayloadInclude, Selection
from schemas.config import CollectionConfig
from schemas.errors import BadInputError
from schemas.filters import Filter, parse_filter
from schemas.ids import PointId, parse_point_id
from schemas.json_path import Path, parse_path
from schemas.rest import reads
from schemas.rest.points import JsonFilter, JsonId
from schemas.vectors.registry import usual_numbers

ID_US = 1.0
"""About how long ``to_ids`` takes for each."""
_EVERYTHING = Filter()
_REMEMBERED_BYTES = 512
"""A filter that is no larger is remembered as it was parsed: clients repeat filters. A few hundred are."""
_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode
_PLAIN = {with_payload: Selection(with_payload, False) for with_payload in (False, True)}


def to_filter(obj: JsonFilter | None) -> Filter | None:
    """The filter, None when everything passes. Raises BadInputError."""
    if obj is None:
        return None
    try:
        encoded = _encode(obj)
    except (OverflowError, RecursionError):
        return _parsed(obj)
    return _remembered(encoded) if len(encoded) <= _REMEMBERED_BYTES else _parsed(obj)


@lru_cache(maxsize=512)
def _remembered(encoded: bytes) -> Filter | None:
    return _parsed(_decode(encoded))


def _parsed(obj: JsonFilter) -> Filter | None:
    parsed = parse_filter(obj)
    return None if parsed == _EVERYTHING else parsed


def to_id(value: JsonId, where: str) -> PointId:
    """A point id; ``where`` is its path in the body. Raises BadInputError."""
    try:
        return parse_point_id(value)
    except BadInputError as error:
        raise BadInputError(f"Format error in JSON body: {error.message} at {where}") from error


def to_ids(values: Sequence[JsonId]) -> list[PointId]:
    """Point ids. Raises BadInputError naming a bad one."""
    return [to_id(value, f"ids[{position}]") for position, value in enumerate(values)]


def to_selection(
    config: CollectionConfig,
    with_payload: reads.WithPayload | None,
    with_vector: reads.WithVector | None,
    default_payload: bool,
) -> Selection:
    """What to fetch of each point. Raises BadInputError for a bad payload key or an unknown vector name."""
    if with_payload is None and with_vector is None:
        return _PLAIN[default_payload]
    return Selection(_payload_selection(with_payload, default_payload), _vector_selection(config, with_vector))


def _payload_selection(asked: reads.WithPayload | None, default: bool) -> bool | PayloadInclude | PayloadExclude:
    if asked is None:
        return default
    if isinstance(asked, bool):
        return asked
    if isinstance(asked, list):
        return PayloadInclude(_paths(asked))
    if asked.include is not None:
        return PayloadInclude(_paths(asked.include))
    return PayloadExclude(_paths(asked.exclude or []))


def _paths(keys: Sequence[str]) -> tuple[Path, ...]:
    return tuple(parse_path(key) for key in keys)


def _vector_selection(config: CollectionConfig, asked: reads.WithVector | None) -> bool | tuple[str, ...]:
    if asked is None or isinstance(asked, bool):
        return bool(asked)
    for name in asked:
        check_name(config, name)
    return tuple(dict.fromkeys(asked))


def vector_values(config: CollectionConfig, points: int, asked: reads.WithVector | None) -> int:
    """How many numbers the vectors of so many points have at most."""
    if not asked:
        return 0
    names = config.names if asked is True else set(asked) & config.names.keys()
    return points * sum(usual_numbers(config.names[name]) for name in names)


def check_name(config: CollectionConfig, name: str) -> None:
    """Raise BadInputError when the collection has no vectors of that name."""
    if name not in config.names:
        raise unknown_name(config, name)


def unknown_name(config: CollectionConfig, name: str) -> BadInputError:
    """The error for a name of which the collection has no vectors."""
    known = ", ".join(f"`{known}`" for known in sorted(config.names) if known)
    hint = f"; this collection has {known}" if known else ""
    return BadInputError(f"Wrong input: Not existing vector name error: {name}{hint}")

"""Matches on a field with a uuid index."""

from schemas.errors import BadInputError
from schemas.filters.model import MatchUuid
from schemas.ids import UUID_BASE, parse_point_id
from schemas.json_path import JsonValue
from schemas.matching.values import is_any

_SHORTEST = 32


def uuid_of(text: str) -> int | None:
    """The UUID that a text spells, in any of the forms that ids have; None when it spells none."""
    if len(text) < _SHORTEST:
        return None
    try:
        return parse_point_id(text) - UUID_BASE
    except BadInputError:
        return None


def passes(test: MatchUuid, value: JsonValue) -> bool:
    """Whether an element passes."""
    if value is None:
        return False
    uuid = uuid_of(value) if isinstance(value, str) else None
    found = is_any(value, test.texts) if uuid is None else uuid in test.uuids
    return found is not test.excluded

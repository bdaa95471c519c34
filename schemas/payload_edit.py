"""Edits of a payload. Pure: the arguments are never changed; a result may share parts with them."""

from collections.abc import Sequence
from typing import Any

from schemas.json_path import EACH, JsonValue, Path, Step


def set_payload(old: dict[str, Any], new: dict[str, Any], key: Path | None = None) -> dict[str, Any]:
    """Merge ``new`` into the payload, or into the object at ``key``: its keys one by one, not deeper.

    A null removes its key. On the way to ``key`` objects are made where there is none, also in place of another value;
    an array step replaces what is no array by an empty array, and an index past the end changes nothing.
    """
    if key is None:
        return _merge(old, new)
    return _set_first(old, key, new, merge=True)


def overwrite_payload(old: dict[str, Any], new: dict[str, Any], key: Path | None = None) -> dict[str, Any]:
    """Replace the payload, or what is at ``key``, by ``new``, nulls and all. The way there is as in ``set_payload``."""
    if key is None:
        return dict(new)
    return _set_first(old, key, new, merge=False)


def delete_keys(old: dict[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    """Remove what each path leads to, one after another.

    A path that leads nowhere changes nothing. One that ends with ``[]`` empties the array; one that ends with an index
    changes nothing, since doing it twice would remove two elements.
    """
    payload = dict(old)
    for path in paths:
        payload = _delete_key(payload, path.steps)
    return payload


def _merge(old: dict[str, JsonValue], new: dict[str, JsonValue]) -> dict[str, JsonValue]:
    merged = {**old, **new}
    return {name: value for name, value in merged.items() if value is not None or name not in new}


def _set_first(old: dict[str, Any], key: Path, new: dict[str, Any], *, merge: bool) -> dict[str, Any]:
    first, *rest = key.steps
    assert isinstance(first, str)
    return {**old, first: _set(old.get(first), rest, new, merge=merge)}


def _set(value: JsonValue, steps: Sequence[Step], new: dict[str, JsonValue], *, merge: bool) -> JsonValue:
    if not steps:
        if not merge:
            return dict(new)
        return _merge(value if isinstance(value, dict) else {}, new)
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        fields = value if isinstance(value, dict) else {}
        return {**fields, step: _set(fields.get(step), rest, new, merge=merge)}
    if not isinstance(value, list):
        return []
    return [_set(v, rest, new, merge=merge) if step is EACH or step == i else v for i, v in enumerate(value)]


def _delete(value: JsonValue, steps: Sequence[Step]) -> JsonValue:
    if isinstance(value, dict):
        return _delete_key(value, steps)
    step, rest = steps[0], steps[1:]
    if not isinstance(value, list) or isinstance(step, str):
        return value
    if not rest:
        return [] if step is EACH else value
    return [_delete(v, rest) if step is EACH or step == i else v for i, v in enumerate(value)]


def _delete_key(fields: dict[str, JsonValue], steps: Sequence[Step]) -> dict[str, JsonValue]:
    step, rest = steps[0], steps[1:]
    if not isinstance(step, str) or step not in fields:
        return fields
    if rest:
        return {**fields, step: _delete(fields[step], rest)}
    return {name: value for name, value in fields.items() if name != step}

"""Payload keys: ``city``, ``address.city``, ``tags[]``, ``stops[0].name``, ``"a key with.dots".name``.

A path starts with a key; further keys come after a dot, array steps in brackets. A key is quoted when it holds an
ASCII character other than letters, digits, ``_`` and ``-``. The syntax has no escapes, so a payload key that
holds a double quote can't be named.

Whether a character needs quotes is decided without Unicode tables, which differ between Python releases: any
character outside ASCII may stand unquoted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, TypeAlias

from schemas.errors import BadInputError

MAX_PATH_STEPS = 64
MAX_INDEX = (1 << 64) - 1
_USUAL_LENGTH = 64
"""What is no longer is remembered: requests name the same few keys again and again."""
_SHOWN = 64

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""A JSON value as msgspec decodes it."""


class Each(Enum):
    """The type of ``EACH``."""

    EACH = "[]"


EACH = Each.EACH
"""The step to every element of an array, ``[]``."""

Step = str | int | Each
"""A key of an object, an index into an array, or all its elements."""

_BARE_KEY = re.compile(r"[^\x00-\x2c\x2e\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]+")
_STEP = re.compile(rf'(?P<dot>\.)?(?:"(?P<quoted>[^"]*)"|(?P<bare>{_BARE_KEY.pattern})|\[(?P<index>[0-9]*)\])')


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed payload key. The first of ``steps`` is a key. ``str(path)`` parses to an equal path."""

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        text = "".join(_render(step) for step in self.steps)
        return text.removeprefix(".")


def _render(step: Step) -> str:
    if isinstance(step, str):
        return f".{step}" if _BARE_KEY.fullmatch(step) else f'."{step}"'
    return "[]" if step is EACH else f"[{step}]"


def parse_path(text: str) -> Path:
    """Read a payload key. Raises BadInputError for one that is malformed or has more than MAX_PATH_STEPS steps."""
    return _usual(text) if len(text) <= _USUAL_LENGTH else _parse(text)


@lru_cache(maxsize=1024)
def _usual(text: str) -> Path:
    return _parse(text)


def _parse(text: str) -> Path:
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise _invalid(text, f"unexpected {text[at]!r} at position {at}")
        if len(steps) == MAX_PATH_STEPS:
            raise _invalid(text, f"it has more than {MAX_PATH_STEPS} steps")
        steps.append(_step(text, match))
        at = match.end()
    if not steps:
        raise _invalid(text, "it is empty")
    return Path(tuple(steps))


def _step(text: str, match: re.Match[str]) -> Step:
    first = match.start() == 0
    dotted = match["dot"] is not None
    digits = match["index"]
    if digits is not None:
        if first or dotted:
            raise _invalid(text, f"a key must stand before the '[' at position {match.end() - len(digits) - 2}")
        if not digits:
            return EACH
        index = int(digits) if len(digits) <= 20 else MAX_INDEX + 1
        if index > MAX_INDEX:
            raise _invalid(text, "an index is larger than 2^64 - 1")
        return index
    if first == dotted:
        raise _invalid(text, f"{'unexpected' if first else 'expected'} '.' at position {match.start()}")
    key: str = match["bare"] if match["quoted"] is None else match["quoted"]
    return key


def _invalid(text: str, reason: str) -> BadInputError:
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return BadInputError(f"Format error in JSON body: Invalid json path: '{shown}' ({reason})")


def values_at(payload: Mapping[str, Any], path: Path) -> list[Any]:
    """Every value that ``path`` leads to, in payload order, arrays and nulls as they are; empty when there is none."""
    found: list[JsonValue] = [dict(payload)] if not isinstance(payload, dict) else [payload]
    for step in path.steps:
        found = [value for container in found for value in _children(container, step)]
        if not found:
            break
    return found


def elements_at(payload: Mapping[str, Any], path: Path) -> list[Any]:
    """What conditions look at: ``values_at``, with each array replaced by its elements (one level)."""
    elements: list[JsonValue] = []
    for value in values_at(payload, path):
        if isinstance(value, list):
            elements.extend(value)  # pyright: ignore[reportUnknownArgumentType]
        else:
            elements.append(value)
    return elements


def _children(container: JsonValue, step: Step) -> list[JsonValue]:
    if isinstance(step, str):
        return [container[step]] if isinstance(container, dict) and step in container else []
    if not isinstance(container, list):
        return []
    if step is EACH:
        return container
    return [container[step]] if step < len(container) else []

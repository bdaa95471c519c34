"""An answer beside the recorded one."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, cast

NEVER_COMPARED = {"time", "usage", "operation_id", "version", "segments_count", "peer_id", "creation_time", "checksum"}
SAID = "said"
"""What begins a difference that is one of words alone."""
_PLACE = re.compile(r" at line \d+ column \d+$")
_OF_A_PARSER = re.compile(
    "did not match any variant|Expected some form of|Expected a (boolean|string)|[Ii]nvalid (type|value)|"
    "invalid length|[Mm]issing field|unknown (field|variant)|Validation error in JSON body"
)
"""What texts have in them that name types and fields of that server's own code: others need only be as clear."""
_OF_A_RUN = re.compile(
    r"produced a non-finite number|Snapshot .* not found|checksum mismatch|after removing \d|Shard transfer \d|"
    "Failed to download tar from"
)
"""What they have in them that name what differs from run to run: a file, a checksum, a peer, the point met first."""
RELATIVE = 1e-5
ABSOLUTE = 1e-6


def difference(step: Mapping[str, Any], status: int, headers: Mapping[str, str], answer: Any) -> str | None:
    """The first thing in which an answer is not the step's, None when there is nothing."""
    if status != step["status"]:
        return f"status {status}, not {step['status']}: {_shown(answer)}"
    volatile: Any = step.get("volatile") or []
    if volatile is True:
        return None
    if not any(str(pointer).startswith("@answer_headers") for pointer in volatile):
        recorded: dict[str, str] = step.get("answer_headers") or {}
        for name, value in recorded.items():
            if name != "vary" and headers.get(name) != value:
                return f"header {name}: {headers.get(name)!r}, not {value!r}"
    if "answer" not in step:
        return None
    wanted = step["answer"]
    compare = _Comparison(set(volatile), bool(step.get("unordered")), step.get("ties_by"))
    if "only" in step:
        pointer = step["only"]
        return compare.values(pointed(wanted, pointer), pointed(answer, pointer), pointer)
    if (said := _error(wanted)) is not None:
        given = _error(answer)
        if given is None:
            return f"no error, but {_shown(answer)}"
        same = given.startswith(_PLACE.sub("", said)) or _OF_A_PARSER.search(said)
        if found := _OF_A_RUN.search(said):
            same = found[0] in given or _OF_A_RUN.search(given)
        return None if same else f"{SAID} {given!r}, not {said!r}"
    return compare.values(wanted, answer, "")


def pointed(answer: Any, pointer: str) -> Any:
    """What a JSON pointer leads to, None where that is nothing."""
    at: Any = answer
    for part in pointer.strip("/").split("/"):
        try:
            at = cast("list[Any]", at)[int(part)] if isinstance(at, list) else at[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return at


class _Comparison:
    def __init__(self, volatile: set[str], unordered: bool, ties: str | None) -> None:
        self._volatile = volatile
        self._unordered = unordered
        self._ties = ties

    def values(self, wanted: Any, given: Any, at: str) -> str | None:
        if at in self._volatile:
            return None
        if _is_number(wanted) and _is_number(given):
            return self._numbers(wanted, given, at)
        if type(wanted) is not type(given):
            return _told(wanted, given, at)
        if isinstance(wanted, list):
            return self._lists(cast("list[Any]", wanted), given, at)
        if isinstance(wanted, dict):
            return self._objects(cast("dict[str, Any]", wanted), given, at)
        return None if wanted == given else _told(wanted, given, at)

    def _numbers(self, wanted: float, given: float, at: str) -> str | None:
        if isinstance(wanted, int) and isinstance(given, int):
            return None if wanted == given else _told(wanted, given, at)
        if "/payload/" in at and type(wanted) is not type(given):
            return _told(wanted, given, at)
        close = math.isclose(wanted, given, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
        return None if close else _told(wanted, given, at)

    def _objects(self, wanted: dict[str, Any], given: dict[str, Any], at: str) -> str | None:
        in_payload = "/payload" in at
        for key in sorted(wanted.keys() | given.keys()):
            absent = wanted.get(key) is None and given.get(key) is None
            inner = f"{at}/{key}"
            if inner in self._volatile or (not in_payload and (key in NEVER_COMPARED or absent)):
                continue
            if key not in wanted or key not in given:
                return f"{inner} is {'too many' if key in given else 'missing'}"
            found = self.values(wanted[key], given[key], inner)
            if found:
                return found
        return None

    def _lists(self, wanted: list[Any], given: list[Any], at: str) -> str | None:
        if len(wanted) != len(given):
            return f"{at}: {len(given)} items, not {len(wanted)}"
        if self._unordered:
            wanted, given = sorted(wanted, key=_canonical), sorted(given, key=_canonical)
        elif self._ties and wanted and isinstance(wanted[0], dict) and self._ties in wanted[0]:
            wanted, given = _by_ties(wanted, self._ties), _by_ties(given, self._ties)
        pairs = enumerate(zip(wanted, given, strict=True))
        return next((found for i, (w, g) in pairs if (found := self.values(w, g, f"{at}/{i}"))), None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _by_ties(points: Sequence[Any], key: str) -> list[Any]:
    """The points as they stand, but those of one value that stand together by id."""
    runs = groupby(points, lambda point: point.get(key))
    return [point for _, run in runs for point in sorted(run, key=lambda point: str(point.get("id")))]


def _canonical(value: Any) -> str:
    """A text by which equal items sort alike, what is never compared left out and floats rounded."""
    if isinstance(value, float):
        return json.dumps(float(f"{value:.5g}"))
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return json.dumps({k: _canonical(v) for k, v in fields.items() if k not in NEVER_COMPARED}, sort_keys=True)
    if isinstance(value, list):
        return json.dumps([_canonical(item) for item in cast("list[Any]", value)])
    return json.dumps(value)


def _error(answer: Any) -> str | None:
    error = pointed(answer, "/status/error")
    return error if isinstance(error, str) else None


def _told(wanted: Any, given: Any, at: str) -> str:
    return f"{at or '/'}: {_shown(given)}, not {_shown(wanted)}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:200]

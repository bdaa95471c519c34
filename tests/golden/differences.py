"""The steps that are known to be answered in another way."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "differences.toml"
KINDS = ("not_yet", "differs")


@cache
def sections() -> dict[str, Any]:
    """What the file lists, by transcript."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def known(transcript: str) -> dict[int, str]:
    """The steps of a transcript that need not pass, with the reason. Raises ValueError for a step listed twice."""
    listed: Mapping[str, Any] = sections().get(transcript, {})
    reasons: dict[int, str] = {}
    for kind in KINDS:
        for entry in listed.get(kind, []):
            for number in numbers(entry["steps"]):
                if number in reasons:
                    raise ValueError(f"{transcript}: step {number} is listed twice")
                reasons[number] = entry["why"]
    return reasons


def numbers(text: str) -> list[int]:
    """The numbers in a text like ``3, 7-9``."""
    found: list[int] = []
    for part in filter(None, text.replace(" ", "").split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def as_text(steps: Iterable[int]) -> str:
    """The opposite of ``numbers``."""
    runs: list[list[int]] = []
    for number in sorted(steps):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)

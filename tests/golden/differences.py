"""The steps that are known to be answered in another way."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.golden.comparison import SAID

FILE = Path(__file__).parent / "differences.toml"
WORDS = "words"
KINDS = ("not_yet", "differs", WORDS)


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


def only_words(transcript: str) -> set[int]:
    """Those that differ in the words of their error alone."""
    listed = sections().get(transcript, {}).get(WORDS, [])
    return {number for entry in listed for number in numbers(entry["steps"])}


def unlisted(transcript: str, failures: Mapping[int, str]) -> list[int]:
    """The steps among ``failures``, which have the difference of each, that differ otherwise than is known."""
    listed, words = known(transcript), only_words(transcript)
    return [n for n, found in failures.items() if n not in listed or (n in words and not found.startswith(SAID))]


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

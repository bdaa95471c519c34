"""Text tests without a text index: words, lower-cased.

A word is a run of letters and digits as Python's Unicode tables have them, which is why ``EVALUATOR_VERSION`` names
their version.
"""

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    """The words of ``text`` in order, lower-cased."""
    return [word.lower() for word in _WORD.findall(text)]


def has_all(text: str, query: Sequence[str]) -> bool:
    """Whether every token of ``query`` is a word of ``text``; no tokens match nothing."""
    return bool(query) and set(query).issubset(tokens(text))


def has_any(text: str, query: Sequence[str]) -> bool:
    """Whether some token of ``query`` is a word of ``text``."""
    return not set(query).isdisjoint(tokens(text))


def has_phrase(text: str, query: Sequence[str]) -> bool:
    """Whether the tokens of ``query`` are words of ``text`` one after another; no tokens match nothing."""
    words, wanted = tokens(text), list(query)
    size = len(wanted)
    return size > 0 and any(words[at : at + size] == wanted for at in range(len(words) - size + 1))

"""Regular expressions with sets and Unicode's properties, by a library with tables of its own."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex


@cache
def pattern(expression: str) -> "regex.Pattern[str]":
    """A regular expression, compiled once; with the first one the library is loaded, which most servers never need."""
    import regex

    return regex.compile(expression, regex.V1)

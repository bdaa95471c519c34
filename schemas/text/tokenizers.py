"""Tokenizers: each splits a text into its words, in order."""

from collections.abc import Callable

from schemas.payload_index import Tokenizer
from schemas.text.patterns import pattern
from schemas.text.words import words as _between_white_space

_ALPHANUMERIC = r"[\p{Alphabetic}\p{N}]+"
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_OF_MANY_LANGUAGES = rf"[{_UNSPACED}]\p{{M}}*|[\p{{Alphabetic}}\p{{N}}--[{_UNSPACED}]]+"


def _alphanumeric(text: str) -> list[str]:
    return pattern(_ALPHANUMERIC).findall(text)


def _of_many_languages(text: str) -> list[str]:
    """Runs of letters and digits, and each character by itself of scripts that put no spaces between words."""
    return pattern(_OF_MANY_LANGUAGES).findall(text)


SPLITTERS: dict[Tokenizer, Callable[[str], list[str]]] = {
    Tokenizer.WORD: _alphanumeric,
    Tokenizer.PREFIX: _alphanumeric,
    Tokenizer.WHITESPACE: _between_white_space,
    Tokenizer.MULTILINGUAL: _of_many_languages,
}

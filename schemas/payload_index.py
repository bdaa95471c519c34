"""Payload indexes: what a collection's configuration declares about a payload key.

A declared type is part of what a filter means (``schemas.filters.binding``): with a text index texts are compared by
tokens, with a uuid index by what they spell. What else is declared says how much is kept where, and changes no answer.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from schemas.json_path import parse_path

MAX_PAYLOAD_INDEXES = 1024

TokenLength = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Memory = Literal["cold", "cached", "pinned"]


class Tokenizer(StrEnum):
    """How a text is split into words."""

    WORD = "word"
    WHITESPACE = "whitespace"
    PREFIX = "prefix"
    MULTILINGUAL = "multilingual"


class Language(StrEnum):
    """Languages of stop words."""

    ARABIC = "arabic"
    AZERBAIJANI = "azerbaijani"
    BASQUE = "basque"
    BENGALI = "bengali"
    CATALAN = "catalan"
    CHINESE = "chinese"
    DANISH = "danish"
    DUTCH = "dutch"
    ENGLISH = "english"
    FINNISH = "finnish"
    FRENCH = "french"
    GERMAN = "german"
    GREEK = "greek"
    HEBREW = "hebrew"
    HINGLISH = "hinglish"
    HUNGARIAN = "hungarian"
    INDONESIAN = "indonesian"
    ITALIAN = "italian"
    JAPANESE = "japanese"
    KAZAKH = "kazakh"
    NEPALI = "nepali"
    NORWEGIAN = "norwegian"
    PORTUGUESE = "portuguese"
    ROMANIAN = "romanian"
    RUSSIAN = "russian"
    SLOVENE = "slovene"
    SPANISH = "spanish"
    SWEDISH = "swedish"
    TAJIK = "tajik"
    TURKISH = "turkish"


class StemmedLanguage(StrEnum):
    """Languages of the Snowball stemmers."""

    ARABIC = "arabic"
    ARMENIAN = "armenian"
    DANISH = "danish"
    DUTCH = "dutch"
    ENGLISH = "english"
    FINNISH = "finnish"
    FRENCH = "french"
    GERMAN = "german"
    GREEK = "greek"
    HUNGARIAN = "hungarian"
    ITALIAN = "italian"
    NORWEGIAN = "norwegian"
    PORTUGUESE = "portuguese"
    ROMANIAN = "romanian"
    RUSSIAN = "russian"
    SPANISH = "spanish"
    SWEDISH = "swedish"
    TAMIL = "tamil"
    TURKISH = "turkish"


class StopwordsSet(msgspec.Struct, frozen=True, omit_defaults=True):
    """Stop words of several languages, and others."""

    languages: tuple[Language, ...] | None = None
    custom: tuple[str, ...] | None = None


class SnowballStemmer(msgspec.Struct, frozen=True, tag_field="type", tag="snowball"):
    """Words are cut down to their stems."""

    language: StemmedLanguage


class NoStemmer(msgspec.Struct, frozen=True, tag_field="type", tag="none"):
    """Words stay as they are."""


class _Params(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", kw_only=True):
    on_disk: bool | None = None
    memory: Memory | None = None
    enable_hnsw: bool | None = None


class KeywordIndex(_Params, frozen=True, tag="keyword", kw_only=True):
    """Strings."""

    is_tenant: bool | None = None
    prefix: bool | None = None


class IntegerIndex(_Params, frozen=True, tag="integer", kw_only=True):
    """Integers, for lookups, for ranges, or both."""

    lookup: bool | None = None
    range: bool | None = None
    is_principal: bool | None = None


class FloatIndex(_Params, frozen=True, tag="float", kw_only=True):
    """Numbers."""

    is_principal: bool | None = None


class BoolIndex(_Params, frozen=True, tag="bool", kw_only=True):
    """Booleans."""


class GeoIndex(_Params, frozen=True, tag="geo", kw_only=True):
    """Points on the globe."""


class DatetimeIndex(_Params, frozen=True, tag="datetime", kw_only=True):
    """Datetimes."""

    is_principal: bool | None = None


class UuidIndex(_Params, frozen=True, tag="uuid", kw_only=True):
    """UUIDs, in any spelling."""

    is_tenant: bool | None = None


class TextIndex(_Params, frozen=True, tag="text", kw_only=True):
    """Texts, as tokens."""

    tokenizer: Tokenizer = Tokenizer.WORD
    min_token_len: TokenLength | None = None
    max_token_len: TokenLength | None = None
    lowercase: bool | None = None
    ascii_folding: bool | None = None
    phrase_matching: bool | None = None
    stopwords: Language | StopwordsSet | None = None
    stemmer: SnowballStemmer | NoStemmer | None = None


IndexParams = KeywordIndex | IntegerIndex | FloatIndex | BoolIndex | GeoIndex | DatetimeIndex | UuidIndex | TextIndex
SIMPLE: dict[str, IndexParams] = {
    "keyword": KeywordIndex(),
    "integer": IntegerIndex(),
    "float": FloatIndex(),
    "bool": BoolIndex(),
    "geo": GeoIndex(),
    "datetime": DatetimeIndex(),
    "uuid": UuidIndex(),
    "text": TextIndex(),
}
"""What the simple form, a type's name alone, stands for."""
_SHOWN_WHEN_UNSET = ("lookup", "range", "is_principal", "tokenizer")


class PayloadIndex(msgspec.Struct, frozen=True, omit_defaults=True):
    """One declared index. ``simple``: it was declared by its type's name alone, and is shown so."""

    params: IndexParams
    simple: bool = False

    @property
    def data_type(self) -> str:
        """The type's name."""
        return str(type(self.params).__struct_config__.tag)

    def shown(self) -> dict[str, Any]:
        """As a collection's info has it: ``data_type``, and ``params`` unless it is simple."""
        if self.simple:
            return {"data_type": self.data_type}
        params: dict[str, Any] = msgspec.to_builtins(self.params)
        for name in _SHOWN_WHEN_UNSET:
            if name in self.params.__struct_fields__:
                params.setdefault(name, msgspec.to_builtins(getattr(self.params, name)))
        return {"data_type": self.data_type, "params": params}


PayloadIndexes = dict[str, PayloadIndex]
"""By payload key, in the one spelling that ``field_name`` gives."""


def field_name(text: str) -> str:
    """A payload key as configuration has it. Raises BadInputError for one that is malformed."""
    return str(parse_path(text))

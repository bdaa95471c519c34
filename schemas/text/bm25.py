"""BM25: texts as sparse vectors, whose inner product with a query's is the BM25 score under the modifier ``idf``.

A term's index is the absolute value of MurmurHash3 (32 bits, seed 0) of its token, as in Qdrant and fastembed. In a
document a term of which there are f among n tokens has the value f (k + 1) / (f + k (1 - b + b n / avg_len)); in a
query each has 1.
"""

from collections import Counter
from functools import lru_cache
from math import isfinite
from typing import Any

import mmh3
import msgspec

from schemas.errors import BadInputError
from schemas.payload_index import Language, NoStemmer, SnowballStemmer, StopwordsSet, TextIndex, Tokenizer, TokenLength
from schemas.struct_types import look_through
from schemas.text.analyzer import Analyzer
from schemas.text.languages import stemmed_language, stopped_language
from schemas.text.stop_words import has_stop_words

DEFAULT_K, DEFAULT_B, DEFAULT_LENGTH = 1.2, 0.75, 256.0
DEFAULT_LANGUAGE = "english"
_REMEMBERED = 64


class Bm25Options(msgspec.Struct, frozen=True):
    """The options of a document; what is null is the default. What ``language`` says, the other options refine."""

    k: float | None = None
    b: float | None = None
    avg_len: float | None = None
    language: str | None = None
    tokenizer: Tokenizer | None = None
    lowercase: bool | None = None
    ascii_folding: bool | None = None
    stopwords: Language | StopwordsSet | None = None
    stemmer: SnowballStemmer | NoStemmer | None = None
    min_token_len: TokenLength | None = None
    max_token_len: TokenLength | None = None


look_through(Bm25Options)


class Bm25:
    """Makes sparse vectors of texts. Any number of threads may use one."""

    def __init__(self, options: Bm25Options) -> None:
        """Raises BadInputError for numbers that mean nothing, and for a language whose stop words aren't known."""
        self._k = DEFAULT_K if options.k is None else options.k
        self._b = DEFAULT_B if options.b is None else options.b
        self._length = DEFAULT_LENGTH if options.avg_len is None else options.avg_len
        if not (isfinite(self._k) and self._k >= 0):
            raise BadInputError(f"Wrong input: BM25 k1 must be finite and >= 0, got {self._k:g}")
        if not 0 <= self._b <= 1:
            raise BadInputError(f"Wrong input: BM25 b must be finite and in [0.0, 1.0], got {self._b:g}")
        if not (isfinite(self._length) and self._length > 0):
            raise BadInputError(f"Wrong input: BM25 avg_doc_len must be finite and > 0, got {self._length:g}")
        self._analyzer = Analyzer(_settings(options))

    def document(self, text: str) -> dict[int, float]:
        """The values of the terms of a text that is stored, by index."""
        counts = Counter(self._analyzer.tokens(text))
        total = counts.total()
        length = self._k * (1 - self._b + self._b * total / self._length)
        values: dict[int, float] = {}
        for token, count in counts.items():
            values.setdefault(_index(token), count * (self._k + 1) / (count + length))
        return values

    def query(self, text: str) -> dict[int, float]:
        """The same of a text that is asked for."""
        return dict.fromkeys(map(_index, self._analyzer.query_tokens(text)), 1.0)


def bm25(options: dict[str, Any] | None) -> Bm25:
    """What makes vectors under these options, as JSON has them. Raises BadInputError."""
    if not options:
        return _bm25(Bm25Options())
    try:
        return _bm25(msgspec.convert(options, Bm25Options))
    except msgspec.ValidationError as error:
        raise BadInputError(f"Wrong input: Invalid BM25 config: {error}") from error


@lru_cache(_REMEMBERED)
def _bm25(options: Bm25Options) -> Bm25:
    return Bm25(options)


def _settings(options: Bm25Options) -> TextIndex:
    """The analysis that is meant, as that of a text index."""
    language = (options.language or DEFAULT_LANGUAGE).lower()
    stopwords, stemmer = options.stopwords, options.stemmer
    if stopwords is None:
        stopwords = stopped_language(language)
    if stemmer is None:
        known = stemmed_language(language)
        stemmer = None if known is None else SnowballStemmer(known)
    languages = stopwords.languages or () if isinstance(stopwords, StopwordsSet) else (stopwords,)
    for listed in languages:
        if listed is not None and not has_stop_words(listed):
            raise BadInputError(f"Wrong input: Invalid BM25 config: there are no stop words of `{listed}` here")
    return TextIndex(
        tokenizer=options.tokenizer or Tokenizer.WORD,
        min_token_len=options.min_token_len,
        max_token_len=options.max_token_len,
        lowercase=options.lowercase,
        ascii_folding=options.ascii_folding,
        stopwords=stopwords,
        stemmer=stemmer,
    )


def _index(token: str) -> int:
    return abs(mmh3.hash(token.encode()))

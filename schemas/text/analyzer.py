"""Analyzer: from a text to its tokens, by the settings of a text index."""

from functools import lru_cache
from importlib.metadata import version

from schemas.payload_index import SnowballStemmer, StemmedLanguage, TextIndex, Tokenizer
from schemas.text.folding import fold
from schemas.text.lower_case import lower
from schemas.text.stop_words import stop_words
from schemas.text.tokenizers import SPLITTERS

_LIBRARIES = ("regex", "anyascii", "pystemmer", "stopwords")
TEXT_VERSION = "/".join(f"{name}-{version(name)}" for name in _LIBRARIES)
"""Changes when a text may have other tokens."""
_REMEMBERED = 64
_ALGORITHMS = {StemmedLanguage.DUTCH: "dutch_porter"}
"""Where Snowball has a newer algorithm under a language's name than the one that is meant."""


class Analyzer:
    """Makes tokens of texts. Any number of threads may use one."""

    def __init__(self, settings: TextIndex) -> None:
        self._split = SPLITTERS[settings.tokenizer]
        self._lower = settings.lowercase is not False
        self._fold = bool(settings.ascii_folding) or settings.tokenizer is Tokenizer.MULTILINGUAL
        self._prefixes = settings.tokenizer is Tokenizer.PREFIX
        self._min = settings.min_token_len or 0
        self._max = settings.max_token_len
        stemmer = settings.stemmer if isinstance(settings.stemmer, SnowballStemmer) else None
        self._algorithm = _ALGORITHMS.get(stemmer.language, stemmer.language.value) if stemmer is not None else None
        words = stop_words(settings.stopwords)
        self._stop_words = frozenset(map(lower, words)) if self._lower else words

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text in a payload, in order; with the prefix tokenizer all prefixes of each word."""
        words = self._words(text)
        if not self._prefixes:
            return [word for word in words if self._is_fit(word)]
        longest = self._max
        return [
            word[:length]
            for word in words
            for length in range(max(self._min, 1), min(len(word), longest or len(word)) + 1)
        ]

    def query_tokens(self, text: str) -> list[str]:
        """The tokens that a filter's text asks for, in order; with the prefix tokenizer the longest prefix of each."""
        words = self._words(text)
        if self._prefixes:
            words = [word[: self._max] for word in words]
            return [word for word in words if len(word) >= max(self._min, 1)]
        return [word for word in words if self._is_fit(word)]

    def _is_fit(self, word: str) -> bool:
        return len(word) >= self._min and (self._max is None or len(word) <= self._max)

    def _words(self, text: str) -> list[str]:
        words = self._split(text)
        if self._fold:
            words = map(fold, words)
        if self._lower:
            words = map(lower, words)
        if self._stop_words:
            words = (word for word in words if word not in self._stop_words)
        if self._algorithm is not None:
            import Stemmer  # most servers never need it

            # One for each call: it has buffers of its own, and threads share this analyzer.
            words = Stemmer.Stemmer(self._algorithm, 0).stemWords(list(words))
        return list(words)


@lru_cache(_REMEMBERED)
def analyzer(settings: TextIndex) -> Analyzer:
    """The analyzer of these settings."""
    return Analyzer(settings)

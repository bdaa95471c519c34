"""Stop words: lists by language, from a library, and a user's own."""

from functools import cache

import stopwords

from schemas.payload_index import Language, StopwordsSet

_OTHER_NAMES = {Language.SLOVENE: "slovenian"}


def has_stop_words(language: Language) -> bool:
    """Whether there is a list for a language."""
    return _name(language) in stopwords.AVAILABLE_LANGUAGES


def stop_words(choice: Language | StopwordsSet | None) -> frozenset[str]:
    """The words of a choice, as they are listed."""
    if choice is None:
        return frozenset()
    if isinstance(choice, Language):
        return _of(choice)
    return frozenset(choice.custom or ()).union(*map(_of, choice.languages or ()))


@cache
def _of(language: Language) -> frozenset[str]:
    listed = [word for word in stopwords.get_stopwords(_name(language)) if word]
    # Most tokenizers take "don't" apart, and it is no less of a stop word then.
    parts = (part for word in listed if "'" in word for part in word.split("'") if part)
    return frozenset(listed).union(parts)


def _name(language: Language) -> str:
    return _OTHER_NAMES.get(language, language.value)

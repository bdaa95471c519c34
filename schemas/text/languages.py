"""Languages by their names and ISO 639-1 codes."""

from schemas.payload_index import Language, StemmedLanguage

_CODES = {
    "ar": "arabic",
    "az": "azerbaijani",
    "bn": "bengali",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "he": "hebrew",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "ja": "japanese",
    "kk": "kazakh",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sl": "slovene",
    "sv": "swedish",
    "ta": "tamil",
    "tg": "tajik",
    "tr": "turkish",
    "zh": "chinese",
}
_STOPPED = frozenset(Language)
_STEMMED = frozenset(StemmedLanguage)


def stopped_language(name: str) -> Language | None:
    """The language whose stop words are meant; None for one without."""
    known = _CODES.get(name, name)
    return Language(known) if known in _STOPPED else None


def stemmed_language(name: str) -> StemmedLanguage | None:
    """The language whose stemmer is meant; None for one without."""
    known = _CODES.get(name, name)
    return StemmedLanguage(known) if known in _STEMMED else None

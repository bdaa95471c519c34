"""ASCII folding: Latin letters without what is on them, ``é`` as ``e``, ``ß`` as ``ss``. Other scripts stay."""

import anyascii
import regex

_LATIN = regex.compile(r"[\p{Latin}--\p{ASCII}]", regex.V1)


def fold(word: str) -> str:
    """A word with its Latin letters folded; case stays."""
    return word if word.isascii() else _LATIN.sub(lambda found: anyascii.anyascii(found[0]), word)

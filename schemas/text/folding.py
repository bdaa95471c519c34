"""ASCII folding: Latin letters without what is on them, ``é`` as ``e``, ``ß`` as ``ss``. Other scripts stay."""

from schemas.text.patterns import pattern

_LATIN = r"[\p{Latin}--\p{ASCII}]"


def fold(word: str) -> str:
    """A word with its Latin letters folded; case stays."""
    if word.isascii():
        return word
    import anyascii  # seldom needed, as ``pattern`` is

    return pattern(_LATIN).sub(lambda found: anyascii.anyascii(found[0]), word)

"""Texts as tokens: strings of a key that has a text index.

Sections of a column: those of ``postings``, with ``token.`` before their names.
"""

from projector.columns.postings import Postings, PostingsAccumulator
from projector.columns.sections import Sections, SectionSource
from projector.columns.selection import Selection, all_of, any_of, at_most, known
from projector.columns.slot_set import SlotSet
from schemas.filters import HasPhrase, HasTokens
from schemas.payload_index import TextIndex
from schemas.text import analyzer

_PREFIX = "token."


class TextAccumulator:
    """Collects the tokens of strings."""

    def __init__(self, index: TextIndex) -> None:
        self._tokens = analyzer(index).tokens
        self._postings = PostingsAccumulator()

    def add(self, value: str, slot: int) -> None:
        """Record a string; slots come in ascending order."""
        for token in dict.fromkeys(self._tokens(value)):
            self._postings.add(token, slot)

    def finish(self, size: int) -> Sections:
        """The sections, for ``size`` slots. Raises HashCollisionError."""
        return {_PREFIX + name: section for name, section in self._postings.finish(size).items()}


class Texts:
    """The reader of what TextAccumulator wrote for the same index."""

    def __init__(self, source: SectionSource, size: int) -> None:
        self._size = size
        self._postings = Postings(source, size, _PREFIX)

    def select(self, test: HasTokens | HasPhrase) -> Selection:
        """The slots where texts have tokens; of phrases they bound it, as no place of a token is kept."""
        if not test.tokens:
            return known(SlotSet.nothing(self._size))
        having = (known(SlotSet.union([self._postings.of(token)], self._size)) for token in test.tokens)
        if isinstance(test, HasPhrase):
            return at_most(all_of(having, self._size).possible)
        return all_of(having, self._size) if test.all else any_of(having, self._size)

"""Text tests on a field with a text index: tokens."""

from collections.abc import Iterable

from schemas.filters.model import HasPhrase, HasTokens
from schemas.text import analyzer


def has_tokens(texts: Iterable[str], test: HasTokens) -> bool:
    """Whether the texts together have all of the tokens, or any; no tokens are not had."""
    if not test.tokens:
        return False
    tokens = analyzer(test.index).tokens
    missing = set(test.tokens)
    for text in texts:
        missing.difference_update(tokens(text))
        if not missing or (not test.all and len(missing) < len(test.tokens)):
            return True
    return False


def has_phrase(text: str, test: HasPhrase) -> bool:
    """Whether the text has the tokens one after another; no tokens are not had."""
    wanted = list(test.tokens)
    size = len(wanted)
    if not size:
        return False
    tokens = analyzer(test.index).tokens(text)
    return any(tokens[at : at + size] == wanted for at in range(len(tokens) - size + 1))

"""What a text index makes of texts: tokens. None of it depends on the interpreter's Unicode tables."""

from schemas.text.analyzer import TEXT_VERSION, Analyzer, analyzer
from schemas.text.stop_words import has_stop_words

__all__ = ["TEXT_VERSION", "Analyzer", "analyzer", "has_stop_words"]

"""The parser: C++ that reads the bodies most upserts have, without the interpreter lock, straight into columns."""

from ingest.parser._parser import points_of

__all__ = ["points_of"]

"""The parser: C++ that reads the JSON most writes have, without the interpreter lock, straight into columns.

It takes what is plainly right. A number is rounded as one that is read as float64 first; where it can't be certain of
that within its means, it gives no answer, as for numbers that are no ordinary float32. What it gives no answer for is
for msgspec to read, and for others to say what is wrong with. Payloads stay text: it only sees that they are good.
"""

from ingest.parser._parser import each_vector_of, points_of, unplain_payloads, vectors_of

__all__ = ["each_vector_of", "points_of", "unplain_payloads", "vectors_of"]

"""The words of a text test on a field without a text index: what stands between white space.

White space are the characters that Unicode gives that property, listed here: what Python calls so is a little more.
"""

import re

_WORD = re.compile("[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def words(text: str) -> list[str]:
    """The words of ``text`` in order."""
    return _WORD.findall(text)

"""Inverted lists, looked into."""

import numpy as np

from projector.vectors.inverted import Inverted


def postings(lists: Inverted, term: int) -> list[tuple[int, float]]:
    """The rows that have a term, and their values."""
    at = int(np.searchsorted(lists.terms, np.uint32(term)))
    if at == len(lists.terms) or lists.terms[at] != term:
        return []
    span = slice(int(lists.starts[at]), int(lists.starts[at + 1]))
    return list(zip(lists.rows[span].tolist(), lists.values[span].tolist(), strict=True))

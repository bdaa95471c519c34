"""Inverted lists of a tail: in blocks, the same pairs as in one list, and full blocks are made once."""

import numpy as np
import pytest

from projector.vectors.inverted import SIZES
from projector.vectors.kind import Stored
from projector.vectors.sparse import SparsePartKind, SparseVectors
from schemas.vectors.params import SparseVectorParams
from schemas.vectors.sparse import PAIR
from tests.projector.vectors.lists import postings
from tests.support.seeds import BASE_SEED

LARGE, SMALL = SIZES
TERMS = 9


def stored(rows: int, random: np.random.Generator) -> Stored:
    values: list[bytes] = []
    for _ in range(rows):
        pairs = np.empty(int(random.integers(0, 4)), PAIR)
        pairs["index"] = np.sort(random.choice(TERMS, len(pairs), replace=False))
        pairs["value"] = random.normal(size=len(pairs))
        values.append(pairs.tobytes())
    return Stored(b"".join(values), list(map(len, values)))


def every(vectors: SparseVectors, term: int) -> list[tuple[int, float]]:
    return [(row + first, value) for first, lists in vectors.blocks for row, value in postings(lists, term)]


@pytest.mark.parametrize("rows", [1, SMALL - 1, SMALL, 3 * SMALL + 5, LARGE, LARGE + SMALL + 1])
def test_blocks_have_every_pair_once(rows: int) -> None:
    vectors = SparsePartKind(SparseVectorParams()).block(stored(rows, np.random.default_rng(BASE_SEED)))
    assert vectors.missing == len(vectors.items)
    owners = np.repeat(np.arange(rows), np.diff(vectors.ends)).tolist()
    for term in range(TERMS):
        pairs = zip(owners, vectors.items.tolist(), strict=True)
        assert every(vectors, term) == [(row, value) for row, (index, value) in pairs if index == term]
    assert vectors.missing == 0


def test_a_view_after_another_makes_only_what_is_new() -> None:
    random = np.random.default_rng(BASE_SEED)
    tail = SparsePartKind(SparseVectorParams()).growing()
    tail.extend(stored(2 * SMALL + 10, random))
    first = tail.held(2 * SMALL + 10, None)
    before = first.blocks
    tail.extend(stored(SMALL, random))
    second = tail.held(3 * SMALL + 10, None)
    fresh = second.ends[-1] - second.ends[2 * SMALL]
    assert second.missing == fresh
    assert [block.lists for block in second.blocks[:2]] == [block.lists for block in before[:2]]
    assert first.blocks is before
    assert tail.held(5, None).rows == 5
    taken = tail.take(np.arange(3, 40)).held(37, None)
    assert every(taken, 1) == [(row - 3, value) for row, value in every(second, 1) if 3 <= row < 40]

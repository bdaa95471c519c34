"""Inner products of sparse vectors beside brute force, by postings and by pairs; and damaged files."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.kernel import DamagedPostingsError, KernelPostings, sparse_scores
from projector.vectors.inverted import Inverted
from projector.vectors.ragged import Ends, ends_after
from schemas.vectors.sparse import PAIR

TERMS = 12
ODD = st.sampled_from([-(2**40), -1, 0, 1, 5, 2**31, 2**40])


def made(rows: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.uint32], Ends, Inverted]:
    """Values by row and term, which of them there are, the pairs, where each row's end, and the lists."""
    random = np.random.default_rng(seed)
    there = random.random((rows, TERMS)) < np.linspace(0.01, 0.9, TERMS)
    values = np.where(there, random.normal(0.5, 1, (rows, TERMS)).round(1).astype(np.float32), np.float32(0))
    items = np.empty(int(there.sum()), PAIR)
    items["index"] = np.nonzero(there)[1]
    items["value"] = values[there]
    ends = ends_after(there.sum(axis=1))
    return values.astype(np.float64), there, items.view(np.uint32).reshape(-1, 2), ends, Inverted.of(items, ends)


queries = st.dictionaries(st.integers(0, TERMS), st.floats(-2, 3, width=16), max_size=6)


@given(
    rows=st.sampled_from([0, 1, 7, 300, 8192, 8193, 17000]),
    seed=st.integers(0, 50),
    query=queries,
    wanted=st.integers(0, 20),
    share=st.none() | st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_brute_force(rows: int, seed: int, query: dict[int, float], wanted: int, share: float | None) -> None:
    values, there, pairs, ends, lists = made(rows, seed)
    terms = np.array(sorted(query), np.uint32)
    weights = np.array([query[term] for term in terms.tolist()], np.float64)
    sums, touched = np.zeros(rows), np.zeros(rows, np.bool_)
    for term, weight in zip(terms.tolist(), weights.tolist(), strict=True):
        if term < TERMS and weight:
            sums += values[:, term] * weight
            touched |= there[:, term]
    by_pairs = sparse_scores(pairs, ends, terms, weights)
    assert np.isnan(by_pairs).tolist() == (~touched).tolist()
    assert by_pairs[touched].tolist() == sums[touched].astype(np.float32).tolist()

    allowed = None if share is None else np.random.default_rng(seed).random(rows) < share
    among = np.flatnonzero(touched if allowed is None else touched & allowed)
    if share is not None:
        assert sparse_scores(pairs, ends, terms, weights, among).tolist() == by_pairs[among].tolist()
    near = by_pairs[among]
    least = np.inf if wanted == 0 else -np.inf if len(near) <= wanted else np.sort(near)[-wanted]
    found, products = lists.kernel.nearest(terms, weights, wanted, allowed)
    assert found.tolist() == among[near >= least].tolist()
    assert products.tolist() == by_pairs[found].tolist()

    asked = np.arange(TERMS + 1, dtype=np.uint32)[::-1]
    having = np.append(there if allowed is None else there & allowed[:, np.newaxis], np.zeros((rows, 1), np.bool_), 1)
    assert lists.kernel.counts(asked, allowed).tolist() == having.sum(axis=0)[::-1].tolist()


def test_what_does_not_fit_is_refused() -> None:
    _, _, pairs, ends, lists = made(50, 1)
    terms, weights = np.array([3, 1], np.uint32), np.ones(2)
    with pytest.raises(ValueError, match="ascend"):
        lists.kernel.nearest(terms, weights, 1)
    with pytest.raises(ValueError, match="weight"):
        lists.kernel.nearest(terms, weights[:1], 1)
    with pytest.raises(ValueError, match="mask"):
        lists.kernel.nearest(terms[1:], weights[:1], 1, np.ones(3, np.bool_))
    with pytest.raises(ValueError, match="mask"):
        lists.kernel.counts(terms, np.ones(3, np.bool_))
    with pytest.raises(IndexError):
        sparse_scores(pairs, ends, terms[1:], weights[:1], np.array([50], np.int64))


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damage_is_noticed_or_stays_within_the_rows(data: st.DataObject) -> None:
    _, _, pairs, ends, lists = made(500, 2)
    starts, rows, terms = lists.starts.copy(), lists.rows.copy(), lists.terms.copy()
    ends, pairs = ends.copy(), pairs.copy()
    for _ in range(data.draw(st.integers(1, 10))):
        array = data.draw(st.sampled_from([starts, rows, terms, ends, pairs[:, 0]]))
        place = data.draw(st.integers(0, len(array) - 1))
        array[place] = np.array(data.draw(ODD), np.int64).astype(array.dtype)
    damaged = KernelPostings(terms, starts, rows, lists.values, lists.size)
    query, weights = np.arange(TERMS, dtype=np.uint32), np.ones(TERMS)
    try:
        found, _ = damaged.nearest(query, weights, 20)
    except DamagedPostingsError:
        pass
    else:
        assert len(set(found.tolist())) == len(found)
        assert all(row < 500 for row in found.tolist())
    with suppress(DamagedPostingsError):
        damaged.counts(query, np.ones(500, np.bool_))
    with suppress(DamagedPostingsError):
        sparse_scores(pairs, ends, query, weights)


def test_rows_beyond_the_last_and_rows_that_go_back_are_damage() -> None:
    terms, values = np.array([1], np.uint32), np.ones(3, np.float32)
    starts = np.array([0, 3], np.int64)
    for rows in ([0, 1, 20_000], [9000, 9001, 5]):
        damaged = KernelPostings(terms, starts, np.array(rows, np.uint32), values, 10_000)
        with pytest.raises(DamagedPostingsError):
            damaged.nearest(terms, np.ones(1), 2)
    with pytest.raises(DamagedPostingsError):
        KernelPostings(terms, starts, np.array([0, 1, 20_000], np.uint32), values, 10_000).counts(
            terms, np.ones(10_000, np.bool_)
        )

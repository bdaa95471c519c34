"""The bench of growing collections, on few points."""

import time
from pathlib import Path

import numpy as np
import pytest

from bench.growth.clusters import QUERIES, Clusters, K, normalised
from bench.growth.grown import EFS, OutOfTimeError, Size
from bench.memory import Memory

DIM = 100


def test_right_answers_are_those_of_all_chunks_together() -> None:
    clusters, points = Clusters.of(16), 23_000
    chunks = list(clusters.chunks(points))
    assert [(start, len(some)) for start, some in chunks] == [(0, 10_000), (10_000, 10_000), (20_000, 3_000)]
    vectors = normalised(np.concatenate([some for _, some in chunks]))
    scores = normalised(clusters.queries()) @ vectors.T
    right = clusters.right(points)
    assert right.shape == (QUERIES, K)
    np.testing.assert_allclose(
        np.sort(np.take_along_axis(scores, right, axis=1), axis=1), np.sort(scores, axis=1)[:, -K:], atol=1e-5
    )


def test_a_chunk_is_the_same_however_much_of_it_is_wanted() -> None:
    np.testing.assert_array_equal(Clusters.of(8).chunk(2, 50), Clusters.of(8).chunk(2)[:50])
    assert not np.array_equal(Clusters.of(8).chunk(1, 50), Clusters.of(8).chunk(2, 50))


@pytest.mark.crash
@pytest.mark.slow
def test_a_size_is_done_in_parts(tmp_path: Path) -> None:
    clusters, points = Clusters.of(DIM), 4000
    with pytest.raises(OutOfTimeError):
        Size(tmp_path / "size", points, clusters, deadline=0.0).fill()
    size = Size(tmp_path / "size", points, clusters, deadline=time.monotonic() + 600)
    assert size.grown.loaded == points
    assert not size.grown.indexed
    size.fill()
    size.measure(lambda part: [1.0] * (part.stop - part.start), Memory(0, 0, 0, 1))
    again = Size(tmp_path / "size", points, clusters, deadline=0.0).grown
    assert again == size.grown
    assert (again.indexed, again.parts, again.reference_ms) == (True, 2, 1000.0)
    assert [searched.ef for searched in again.searched] == list(EFS)
    assert again.searched[-1].recall > 0.9
    assert again.resident > again.anonymous > 0

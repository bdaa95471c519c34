"""The demo data: 10,000 common English words with their vectors, for a new server to have something in it.

``words.npz`` is made by ``scripts/make_demo_data``; ``NOTICE`` beside it says where the words come from.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class DemoWords:
    """Words, the most common first; position i of each field belongs to the same word."""

    words: list[str]
    """Lower-case words, letters only."""

    vectors: NDArray[np.float32]
    """Shape (10000, 100), float32, not normalised; every value is one that float16 can hold."""

    ranks: list[int]
    """Position in the source's list of all tokens from the most to the least common, counted from 0."""

    def payload(self, position: int) -> dict[str, str | int]:
        """What the demo stores with the word at ``position``: the word and what follows from it."""
        word = self.words[position]
        return {"word": word, "length": len(word), "first_letter": word[0], "rank": self.ranks[position]}


@cache
def load_words() -> DemoWords:
    """Reads the demo data that is installed with Headwater (about 2 MB)."""
    with as_file(files(__name__) / "words.npz") as path, np.load(path) as arrays:
        words = arrays["words"].tobytes().decode().split("\n")
        vectors = arrays["vectors"].astype(np.float32)
        ranks = arrays["ranks"].tolist()
    vectors.flags.writeable = False
    return DemoWords(words=words, vectors=vectors, ranks=ranks)

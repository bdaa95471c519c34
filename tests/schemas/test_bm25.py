"""BM25: texts as sparse vectors, by the formula, and as fastembed and Qdrant number terms."""

from collections import Counter
from typing import Any

import mmh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadInputError, UnprocessableError
from schemas.text.bm25 import bm25
from schemas.vectors.inference import MAX_QUERY_TEXT, VectorObject, asked_vector, stored_vector
from schemas.vectors.kind import SparseVector

WORDS = ("fox", "dog", "quick", "brown", "park")
PLAIN: dict[str, Any] = {"stopwords": {}, "stemmer": {"type": "none"}}
TEXT = "The quick brown foxes: quick, and Café!"


@given(
    words=st.lists(st.sampled_from(WORDS), max_size=30),
    k=st.floats(0, 3),
    b=st.floats(0, 1),
    length=st.floats(1, 500),
)
def test_values_are_those_of_the_formula(words: list[str], k: float, b: float, length: float) -> None:
    maker = bm25({**PLAIN, "k": k, "b": b, "avg_len": length})
    expected = {
        abs(mmh3.hash(word)): f * (k + 1) / (f + k * (1 - b + b * len(words) / length))
        for word, f in Counter(words).items()
    }
    assert maker.document(" ".join(words)) == pytest.approx(expected)
    assert maker.query(" ".join(words)) == dict.fromkeys(expected, 1.0)


def test_terms_are_stems_of_what_is_no_stop_word() -> None:
    quick, brown, fox, cafe = 771291085, 741580288, 1621867415, 605818632
    assert set(bm25(None).document(TEXT)) == {quick, brown, fox, cafe}
    assert bm25({"language": "en"}).document(TEXT) == bm25({"stemmer": None}).document(TEXT) == bm25({}).document(TEXT)
    assert len(bm25(PLAIN).document(TEXT)) == 6
    assert len(bm25({"language": "none"}).document("running runs the")) == 3
    assert bm25(None).query("don't, it's") == {}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"k": -1}, "k1 must be"),
        ({"b": 2}, "b must be"),
        ({"avg_len": 0}, "avg_doc_len must be"),
        ({"k": "x"}, "Invalid BM25 config"),
        ({"tokenizer": "foo"}, "Invalid BM25 config"),
        ({"stemmer": {"type": "snowball"}}, "Invalid BM25 config"),
        ({"language": "hebrew"}, "no stop words of `hebrew`"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInputError, match=problem):
        bm25(options)


_FASTEMBED: list[tuple[str, dict[str, Any], str, dict[int, float]]] = [
    (
        "english",
        {},
        "The quick brown foxes: quick, and Café!",
        {771291085: 1.898534, 741580288: 1.66973, 1621867415: 1.66973, 605818632: 1.66973},
    ),
    (
        "english",
        {},
        "Running runs ran; runner's",
        {243905464: 1.898534, 567658162: 1.66973, 946033505: 1.66973, 11875599: 1.66973},
    ),
    (
        "english",
        {},
        "U.S.A. and O'Neill",
        {1646279392: 1.674197, 11875599: 1.674197, 1748272243: 1.674197, 1902253: 1.674197},
    ),
    (
        "english",
        {"k": 2.0, "b": 0.5, "avg_len": 10.0},
        "quick, quick brown fox",
        {771291085: 1.764706, 741580288: 1.25, 1621867415: 1.25},
    ),
    ("german", {}, "Straßen und Häuser, Häusern", {1962405504: 1.678689, 18554856: 1.904311}),
    (
        "russian",
        {},
        "Быстрые лисы бегают",
        {76466316: 1.678689, 2014681144: 1.678689, 1598012755: 1.678689},
    ),
]
"""What fastembed 0.9.1 made of texts, by its own code, with the stop words below; its lists of them need a download."""
_STOPPED = {"english": ["the", "and", "of", "a", "is", "don", "t"], "german": ["die", "den", "und"], "russian": []}


@pytest.mark.parametrize(("language", "options", "text", "terms"), _FASTEMBED)
def test_vectors_are_those_of_fastembed(
    language: str, options: dict[str, Any], text: str, terms: dict[int, float]
) -> None:
    stemmer = {"type": "snowball", "language": language}
    maker = bm25({**options, "stopwords": {"custom": _STOPPED[language]}, "stemmer": stemmer})
    assert maker.document(text) == pytest.approx(terms, rel=1e-5)
    assert maker.query(text) == dict.fromkeys(terms, 1.0)


def test_one_model_and_texts_alone() -> None:
    stored = stored_vector(VectorObject(text="fox", model="Qdrant/BM25"), "v")
    assert isinstance(stored, SparseVector)
    assert (stored.indices, stored.values) == ([1621867415], pytest.approx([1.6877434]))
    assert asked_vector(VectorObject(text="fox fox", model="bm25"), "v") == SparseVector([1621867415], [1.0])
    with pytest.raises(BadInputError, match="InferenceService"):
        stored_vector(VectorObject(text="fox", model="other"), "v")
    with pytest.raises(BadInputError, match="Only text input"):
        stored_vector(VectorObject(image="fox", model="bm25"), "v")
    with pytest.raises(UnprocessableError, match="model: value"):
        stored_vector(VectorObject(text="fox", model=""), "v")
    with pytest.raises(UnprocessableError, match="at most"):
        asked_vector(VectorObject(text="x" * (MAX_QUERY_TEXT + 1), model="bm25"), "v")

"""Text tests, against qdrant-client's local mode."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client.http import models
from qdrant_client.local.payload_filters import check_match

from schemas.filters import MatchPhrase, MatchPrefix, MatchText, MatchTextAny
from schemas.matching import element_passes
from schemas.matching.text import tokens

texts = st.one_of(
    st.text(max_size=8),
    st.lists(st.sampled_from(["fox", "Fox", "FOX", "straße", "é", "e\u0301", "_", "1", ",", " ", "-"]), max_size=8).map(
        "".join
    ),
    st.lists(st.sampled_from(["fox", "Quick", "the", "a"]), max_size=5).map(" ".join),
)


@given(texts, texts)
def test_agrees_with_local_mode(text: str, query: str) -> None:
    pairs = [
        (MatchText(query), models.MatchText(text=query)),
        (MatchTextAny(query), models.MatchTextAny(text_any=query)),
        (MatchPhrase(query), models.MatchPhrase(phrase=query)),
        (MatchPrefix(query), models.MatchPrefix(prefix=query)),
    ]
    for ours, theirs in pairs:
        assert element_passes(ours, text) is check_match(theirs, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The quick, brown_fox!", ["the", "quick", "brown", "fox"]),
        ("2024-02-29", ["2024", "02", "29"]),
        ("ÉTÉ Straße", ["été", "straße"]),
        ("  _-. ", []),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize("value", [None, 1, True, ["fox"], {"fox": "fox"}])
def test_only_strings_are_texts(value: object) -> None:
    for test in (MatchText("fox"), MatchTextAny("fox"), MatchPhrase("fox"), MatchPrefix("")):
        assert not element_passes(test, value)  # pyright: ignore[reportArgumentType]

"""Text tests on fields without a text index: parts of strings, as Qdrant 1.19 answered."""

import pytest

from schemas.filters import ElementTest, MatchPhrase, MatchPrefix, MatchText, MatchTextAny
from schemas.matching import element_passes
from schemas.text.words import words


@pytest.mark.parametrize(
    ("test", "text", "expected"),
    [
        (MatchText("quick"), "The quick brown fox", True),
        (MatchText("ick br"), "The quick brown fox", True),
        (MatchText("Quick"), "The quick brown fox", False),
        (MatchText("fox quick"), "The quick brown fox", False),
        (MatchText(""), "", True),
        (MatchText(""), "x", True),
        (MatchTextAny("zzz ick"), "quick", True),
        (MatchTextAny("zzz ICK"), "quick", False),
        (MatchTextAny(""), "quick", False),
        (MatchTextAny(" \u3000\t"), "quick", False),
        (MatchPhrase("quick brown"), "The quick brown fox", True),
        (MatchPhrase("quick  brown"), "The quick brown fox", False),
        (MatchPhrase(""), "x", True),
        (MatchPrefix("The q"), "The quick brown fox", True),
        (MatchPrefix("the"), "The quick brown fox", False),
    ],
)
def test_looks_for_parts(test: ElementTest, text: str, expected: bool) -> None:
    assert element_passes(test, text) is expected


@pytest.mark.parametrize("value", [5, 1.5, True, None, {"text": "x"}, ["x"]])
@pytest.mark.parametrize("test", [MatchText(""), MatchTextAny("x"), MatchPhrase(""), MatchPrefix("")])
def test_only_strings_pass(test: ElementTest, value: object) -> None:
    assert not element_passes(test, value)  # pyright: ignore[reportArgumentType]


def test_splits_at_unicode_white_space_alone() -> None:
    assert words("a\u2028b\u00a0c\x1cd\te") == ["a", "b", "c\x1cd", "e"]

"""Datetimes, against qdrant-client's local mode within the forms both read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client.local import datetime_utils

from schemas.datetimes import parse_datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def two(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda value: f"{value:02}")


dates = st.tuples(st.sampled_from(["0001", "1969", "2023", "2024", "9999"]), two(0, 13), two(0, 32)).map("-".join)
times = st.tuples(two(0, 24), two(0, 60), two(0, 59)).map(":".join)
fractions = st.one_of(st.just(""), st.text("0123456789", min_size=1, max_size=9).map(lambda digits: f".{digits}"))
zones = st.sampled_from(["", "Z", "z", " UTC", "+01", "+0130", "-01:30", " +02:00", "+2", "+01:", "X", "+23:59"])
texts = st.one_of(
    dates,
    st.tuples(dates, st.sampled_from(["T", " "]), times, fractions, zones).map("".join),
    st.tuples(dates, st.sampled_from(["T", " ", "x"]), two(0, 24), st.just(":"), two(0, 60)).map("".join),
    st.tuples(dates, st.just(" "), two(0, 23)).map("".join),
)


@given(texts)
def test_agrees_with_local_mode(text: str) -> None:
    expected = datetime_utils.parse(text)
    microseconds = None if expected is None else (expected - EPOCH) // timedelta(microseconds=1)
    assert parse_datetime(text) == microseconds


@given(st.datetimes(), st.integers(-23 * 60, 23 * 60))
def test_reads_what_isoformat_writes(moment: datetime, offset: int) -> None:
    sign = "-" if offset < 0 else "+"
    text = f"{moment.isoformat()}{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    expected = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) - offset * 60_000_000
    assert parse_datetime(text) == expected


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:00.0000019Z", 1),
        ("1969-12-31T23:59:59.9999999Z", -1),
        ("2016-12-31T23:59:60Z", 1483228800_000000),
        ("1970-01-01t00:00:01z", 1_000_000),
        ("  1970-01-01", 0),
    ],
)
def test_reads(text: str, microseconds: int) -> None:
    assert parse_datetime(text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1970",
        "1970-13-01",
        "0000-01-01",
        "1970-01-01T",
        "1970-01-01T24:00:00",
        "1970-01-01T00:00:61Z",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+00:60",
        "1970-01-01 ",
        "1970-01-01\n",
        "\u0661970-01-01",
        "9" * 1000,
    ],
)
def test_refuses(text: str) -> None:
    assert parse_datetime(text) is None

"""What is made of the bytes that a broker sends."""

import pytest

from ingest.kafka.fetched import Fetched
from ingest.log import LogDamagedError
from tests.ingest.kafka.support import CODECS, batch

WHERE = ("points", 2)


def fetched(start: int, data: bytes) -> Fetched:
    return Fetched(WHERE, start, data, (), at_end=False)


def test_records_are_taken_from_front_to_back() -> None:
    stretch = fetched(10, batch(10, [b"a", b"b"]) + batch(15, [b"c"]))
    assert stretch.covers(10)
    assert not stretch.covers(11)
    assert [(r.partition, r.offset, r.value, r.timestamp_ms) for r in stretch.take(1)] == [(2, 10, b"a", 1000)]
    assert stretch.covers(11)
    assert [r.offset for r in stretch.take(1000)] == [11, 15]
    assert not stretch.has_record
    assert stretch.take(1000) == []
    assert stretch.covers(16)
    assert stretch.next_offset == 16


def test_records_without_a_value_are_not_taken_without_end() -> None:
    stretch = fetched(0, batch(0, [b""] * 1000))
    assert 1 <= len(stretch.take(4800)) <= 100


def test_offsets_without_a_record_are_covered() -> None:
    stretch = fetched(10, batch(10, [b"a"]) + batch(20, [b"b"]))
    stretch.take(1)
    assert [stretch.covers(offset) for offset in (10, 11, 15, 20, 21)] == [False, True, True, True, False]


def test_a_batch_may_begin_before_the_stretch() -> None:
    stretch = fetched(12, batch(10, [b"a", b"b", b"c", b"d"]))
    assert [r.value for r in stretch.take(1000)] == [b"c", b"d"]


def test_a_batch_that_was_cut_off_is_left_out() -> None:
    stretch = fetched(0, batch(0, [b"a"]) + batch(1, [b"b"])[:-1])
    assert [r.value for r in stretch.take(1000)] == [b"a"]
    assert stretch.next_offset == 1


@pytest.mark.parametrize("before_damage", [0, 1, 3])
def test_damage_is_found_after_what_is_intact(before_damage: int) -> None:
    damaged = bytearray(batch(before_damage, [b"value"]))
    damaged[-8] ^= 1
    intact = batch(0, [b"a"] * before_damage) if before_damage else b""
    stretch = fetched(0, intact + bytes(damaged))
    if before_damage:
        assert len(stretch.take(1000)) == before_damage
    for _ in range(2):
        with pytest.raises(LogDamagedError, match=f"points-2 at or after offset {before_damage} is damaged"):
            stretch.take(1000)


def test_decoding_ahead_changes_nothing() -> None:
    stretch = fetched(5, batch(7, [b"a", b"b", b"c"]))
    assert stretch.decode_some(1 << 20) == 9
    assert stretch.covers(5)
    assert stretch.covers(7)
    assert [r.offset for r in stretch.take(1)] == [7]
    assert stretch.decode_some(1 << 20) == 9
    assert [r.offset for r in stretch.take(1000)] == [8, 9]
    assert stretch.decode_some(1 << 20) is None


def test_nothing() -> None:
    stretch = Fetched(WHERE, 3, b"", (), at_end=True)
    assert stretch.is_empty
    assert not stretch.has_record
    assert stretch.covers(3)
    assert stretch.take(1) == []


@pytest.mark.parametrize("codec", list(CODECS))
def test_names_of_headers_that_are_not_text(codec: int) -> None:
    values = [b"a", b"b" * 10_000, b"", b"d"]
    foreign = batch(10, values, b"\xff\xfe\x00n", codec)
    stretch = fetched(8, batch(8, [b"x"]) + foreign + batch(20, [b"y"]))
    plain = fetched(8, batch(8, [b"x"]) + batch(10, values) + batch(20, [b"y"])).take(100_000)
    records = stretch.take(100_000)
    assert [record.offset for record in records] == [8, 10, 11, 12, 13, 20]
    for record, expected in zip(records, plain, strict=True):
        assert (record.offset, record.timestamp_ms) == (expected.offset, expected.timestamp_ms)
        assert (record.key, record.value) == (expected.key, expected.value)
    assert records[1].headers == (("\\xff\\xfe\x00n", b"a"), ("none", b""))
    assert [record.offset for record in fetched(12, foreign).take(100_000)] == [12, 13]


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.kafka.batch.LARGEST_RECORD", 3300)
    monkeypatch.setattr("ingest.kafka.batch.MOST_BYTES", 6400)


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("codec", CODECS)
def test_of_a_record_that_is_too_large_only_its_place_and_the_reason_are_read(codec: int) -> None:
    found = fetched(5, batch(5, [b"a", bytes(4000), b"c"], codec=codec)).take(1 << 20)
    assert [(record.offset, record.value) for record in found] == [(5, b"a"), (6, None), (7, b"c")]
    assert [bool(record.unread) for record in found] == [False, True, False]
    assert "at most 3300 are read" in found[1].unread


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("codec", [1, 2, 3, 4])
def test_of_a_batch_that_decompresses_to_very_much_the_beginning_is_read(codec: int) -> None:
    values = [b"a", bytes(3000), bytes(40_000), bytes(3000), b"e"]
    stretch = fetched(5, batch(5, values, codec=codec) + batch(10, [b"next"]))
    found: list[tuple[int, bool]] = []
    while records := stretch.take(1):
        found += [(record.offset, bool(record.unread)) for record in records]
    assert [offset for offset, _ in found] == [5, 6, 7, 8, 9, 10]
    # Of snappy's blocks those that go beyond are not decompressed in part.
    read = 0 if codec == 2 else 2
    assert [unread for _, unread in found] == [False] * read + [True] * (5 - read) + [False]
    assert stretch.next_offset == 11


def test_what_is_decoded_ahead_is_bounded() -> None:
    stretch = fetched(0, batch(0, [bytes(1000)] * 100))
    assert stretch.decode_some(5000) in range(4, 8)
    assert stretch.next_offset < 10
    assert [record.offset for record in stretch.take(1 << 20)] == list(range(100))

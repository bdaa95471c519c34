"""Columns damaged under an open segment: reading them says so by the file's name, and the scrubber goes there next."""

from pathlib import Path

import numpy as np
import pytest

from projector.columns.columns import Columns
from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile
from projector.segments.meta import SEGMENT_FILE, SEGMENT_KIND
from projector.segments.reader import Segment
from projector.segments.scrubber import Scrubber
from schemas.filters import FieldCondition, Filter, MatchExcept, MatchKeyword, MatchText, Range
from schemas.ids import PointId
from schemas.json_path import parse_path
from tests.projector.segments.harness import run
from tests.projector.segments.samples import samples, segment_of

TESTS = (MatchKeyword("c1"), MatchExcept(frozenset({"c1"})), MatchText("c"))


def spoil(segment: Segment, byte: int, kind: str) -> None:
    """Overwrite what is of a kind in all columns' sections."""
    path = segment.folder / SEGMENT_FILE
    with path.open("rb+") as file:
        for name, place in FlatFile(path, SEGMENT_KIND).directory.sections.items():
            if name.startswith("column.") and name.endswith(kind):
                file.seek(place.offset)
                file.write(bytes([byte]) * place.length)


def read(segment: Segment) -> list[SegmentDamagedError]:
    """What is raised when keywords are selected, counted and told of slots in columns that were not read before."""
    raised: list[SegmentDamagedError] = []
    for path in ("city", "tags[]"):
        for test in TESTS:
            try:
                segment.select(Filter(must=(FieldCondition(parse_path(path), (test,)),)))
            except SegmentDamagedError as error:
                raised.append(error)
        found = segment.columns.find(parse_path(path))
        assert found is not None
        among = segment.select(Filter(must=(FieldCondition(parse_path("n"), (MatchExcept(frozenset()),)),))).sure
        for some in (None, among):
            try:
                found[0].counts("keyword", some)
            except SegmentDamagedError as error:
                raised.append(error)
        try:
            found[0].values_at(np.arange(segment.size))
        except SegmentDamagedError as error:
            raised.append(error)
    return raised


@pytest.mark.parametrize("byte", [0xFF, 0x80, 0x07])
@pytest.mark.parametrize("kind", ["strings", "string_ends", "postings", "keyword_slots", "places", "place_ends"])
def test_only_damage_is_raised(tmp_path: Path, byte: int, kind: str) -> None:
    segment = segment_of(tmp_path / "s", samples([PointId(i) for i in range(300)]))
    assert read(segment) == []
    spoil(segment, byte, kind)
    raised = read(segment)
    assert segment.doubted == bool(raised)
    assert all(str(segment.folder) in error.message for error in raised)


def test_damage_is_told_when_the_slots_of_a_range_are_found(tmp_path: Path) -> None:
    segment = segment_of(tmp_path / "s", samples([PointId(i) for i in range(300)]))
    spoil(segment, 0xFF, "integers_slots")
    found = segment.select(Filter(must=(FieldCondition(parse_path("n"), (Range(lt=20),)),))).sure
    assert len(found) == len([n for n in range(20) if n % 7])
    for _ in range(2):
        with pytest.raises(SegmentDamagedError, match=str(segment.folder)):
            found.slots()
    assert segment.doubted


def test_what_can_not_be_read_is_checked_next(tmp_path: Path) -> None:
    async def main() -> None:
        good, bad = (segment_of(tmp_path / name, samples([PointId(i) for i in range(300)])) for name in "ab")
        told: list[Segment] = []
        scrubber = Scrubber(lambda: [good, bad], lambda segment, _: told.append(segment), rate_bytes=1 << 40)
        while await scrubber.step():
            pass
        spoil(bad, 0xFF, "keyword_slots")
        assert read(bad)
        assert await scrubber.step()
        assert told == [bad]
        assert not await scrubber.step()

    run(main())


def test_what_is_in_memory_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise IndexError("a fault of the code")

    columns = Columns.build([b'{"city":"c1"}'] * 3)
    monkeypatch.setattr("projector.columns.keywords.Keywords.select", fail)
    found = columns.find(parse_path("city"))
    assert found is not None
    with pytest.raises(IndexError, match="of the code"):
        found[0].select_element(TESTS[0])

"""What fails its checksum after a segment was opened is found, told of, and rebuilt while changes come."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFile, Section
from projector.segments.graph_links import LINKS_KIND
from projector.segments.meta import SEGMENT_FILE, SEGMENT_KIND
from projector.segments.metrics import TO_CHECK
from projector.segments.reader import Segment
from projector.segments.scrubber import AGAIN_SECONDS, Scrubber
from projector.segments.spec import BuildSpec
from projector.view.live_shard import LiveShard
from projector.view.part import Part, row_of
from schemas.ids import PointId
from tests.projector.segments.harness import SHARD, Harness, folders, run
from tests.projector.segments.samples import COSINE, samples, segment_of


def flip(path: Path, at: int) -> None:
    with path.open("rb+") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def section(segment: Segment, name: str) -> Section:
    return FlatFile(segment.folder / SEGMENT_FILE, SEGMENT_KIND).directory.sections[name]


def reread(segment: Segment) -> int:
    return sum(segment.reread())


def test_a_byte_of_any_section_is_noticed(tmp_path: Path) -> None:
    segment = segment_of(tmp_path / "s", samples([PointId(i) for i in range(300)]))
    path = segment.folder / SEGMENT_FILE
    sections = FlatFile(path, SEGMENT_KIND).directory.sections
    assert reread(segment) == sum(place.length for place in sections.values())
    for name, place in sections.items():
        if place.length:
            flip(path, place.offset + place.length // 2)
            with pytest.raises(SegmentDamagedError, match=name):
                reread(segment)
            flip(path, place.offset + place.length // 2)


def test_a_byte_of_a_graph_in_use_is_noticed(tmp_path: Path) -> None:
    segment = segment_of(tmp_path / "s", samples([PointId(i) for i in range(300)]), graph=True)
    segment.load_graphs()
    before = reread(segment)
    (path, *_) = sorted(segment.folder.glob("*.links"))
    links = FlatFile(path, LINKS_KIND).directory.sections["links"]
    assert before > links.length
    flip(path, links.offset + links.length // 2)
    with pytest.raises(SegmentDamagedError, match=r"graph\.\d\.links: section links"):
        reread(segment)


def test_a_file_that_became_shorter_is_noticed(tmp_path: Path) -> None:
    segment = segment_of(tmp_path / "s", samples([PointId(i) for i in range(300)]))
    os.truncate(segment.folder / SEGMENT_FILE, section(segment, "vectors.0").offset + 10)
    with pytest.raises(SegmentDamagedError, match=r"vectors\.0"):
        reread(segment)


def test_a_file_that_is_gone_or_another_is_left_alone(tmp_path: Path) -> None:
    segment = segment_of(tmp_path / "s", samples([PointId(i) for i in range(300)]))
    path = segment.folder / SEGMENT_FILE
    path.rename(tmp_path / "elsewhere")
    assert reread(segment) == 0
    path.write_bytes(b"another")
    assert reread(segment) == 0


def test_every_segment_is_checked_and_checked_again_the_next_day(tmp_path: Path) -> None:
    async def main() -> None:
        segments = [segment_of(tmp_path / f"s{i}", samples([PointId(i)])) for i in range(3)]
        now = 0.0
        told: list[Segment] = []
        scrubber = Scrubber(lambda: segments, lambda segment, _: told.append(segment), clock=lambda: now)
        assert [await scrubber.step() for _ in range(4)] == [True, True, True, False]
        assert TO_CHECK._value.get() == 0  # pyright: ignore[reportPrivateUsage]
        flip(segments[1].folder / SEGMENT_FILE, section(segments[1], "payloads").offset)
        assert not await scrubber.step()
        now = AGAIN_SECONDS
        assert [await scrubber.step() for _ in range(4)] == [True, True, True, False]
        assert told == [segments[1]]

    run(main())


def test_what_can_not_be_opened_now_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        segment = segment_of(tmp_path / "s", samples([PointId(1)]))
        flip(segment.folder / SEGMENT_FILE, section(segment, "versions").offset)
        now = 0.0
        told: list[Segment] = []
        scrubber = Scrubber(lambda: [segment], lambda segment, _: told.append(segment), clock=lambda: now)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", _too_many)
            assert await scrubber.step()
        assert not await scrubber.step()
        now = AGAIN_SECONDS / 2
        assert await scrubber.step()
        assert told == [segment]

    run(main())


def _too_many(*_: object) -> None:
    raise PermissionError(13, "not now")


def vectors(parts: Sequence[Part]) -> dict[PointId, bytes]:
    """The vectors of all points that have one."""
    found: dict[PointId, bytes] = {}
    for part in parts:
        held = part.vectors(COSINE)
        for slot in np.flatnonzero(part.alive_mask()).tolist():
            row = -1 if held is None else row_of(held, slot)
            if held is not None and row >= 0:
                found[part.id_at(slot)] = held.value(row).tobytes()
    return found


async def damaged(root: Path) -> tuple[Harness, str]:
    """A shard of 1,000 points in one segment, a vector of which was changed and found by the scrubber."""
    harness = Harness(root)
    harness.upsert(range(1000))
    harness.tick(6)
    await harness.step()
    (name,) = harness.plain
    segment = harness.live.view.segments[0].segment
    flip(segment.folder / SEGMENT_FILE, section(segment, "vectors.0").offset + 21)
    scrubber = Scrubber(harness.optimizer.segments, harness.optimizer.condemn)
    assert await scrubber.step()
    assert not await scrubber.step()
    return harness, name


def test_a_damaged_segment_is_told_of_and_rebuilt_while_changes_come(tmp_path: Path) -> None:
    async def main() -> None:
        harness, name = await damaged(tmp_path)
        assert "vectors.0" in (harness.optimizer.error(SHARD) or "")
        assert not harness.optimizer.up_to_date(SHARD)

        async def change(spec: BuildSpec) -> None:
            harness.delete(range(10, 20))
            harness.upsert(range(15, 40))

        harness.builder.before = change
        assert await harness.step()
        harness.builder.before = None
        harness.check()
        assert harness.optimizer.error(SHARD) is None
        assert name not in folders(harness)
        harness.restart()
        harness.check()
        await harness.settle()
        harness.check()
        found = vectors(harness.live.view.parts)
        fresh = segment_of(tmp_path / "fresh", dict(harness.state.samples))
        assert (
            vectors(LiveShard(SHARD, harness.config, [(fresh, np.zeros(fresh.size, np.bool_))], 0).view.parts) == found
        )

    run(main())


def test_a_rebuilt_segment_waits_until_what_it_may_hold_is_visible(tmp_path: Path) -> None:
    async def main() -> None:
        harness, name = await damaged(tmp_path)
        # A record of which a part is in the state, and staged, but not visible.
        point = samples([PointId(5)], 9)[PointId(5)]
        seen = dict(harness.state.samples)
        harness.state.samples[PointId(5)] = point
        harness.offset += 3
        harness.live.apply([PointId(5)], [point.stored()], harness.offset)
        step = asyncio.create_task(harness.step())
        while not harness.builder.specs[-1].target.endswith("2"):
            await asyncio.sleep(0.01)
        for _ in range(20):
            await asyncio.sleep(0)
        assert harness.plain == [name]
        assert harness.live.view.count == len(seen)
        harness.live.publish(harness.offset)
        assert await step
        harness.check()
        assert harness.plain != [name]

    run(main())


def test_a_state_that_lacks_points_does_not_replace_a_damaged_segment(tmp_path: Path) -> None:
    async def main() -> None:
        harness, name = await damaged(tmp_path)
        del harness.state.samples[PointId(77)]
        assert await harness.step()
        assert harness.plain == [name]
        assert harness.live.view.count == 1000
        assert "1 of its points" in (harness.optimizer.error(SHARD) or "")
        assert folders(harness) == ["manifest", name]

    run(main())

"""A reader of a partition: when it shows something, what it does when feed or segments are not as they should be."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from projector.feed import reloading
from projector.feed.recent import KEPT_OFFSETS
from projector.frames import Closed, Frame
from projector.segments.meta import SEGMENT_FILE
from projector.segments.shard_files import segment_name
from projector.view.live_shard import LiveShard
from schemas.errors import TimedOutError
from tests.projector.feed.fake_state import REJECTED, A, B, State, opened
from tests.projector.feed.place import TIMEOUT_SECONDS, Place, Points, until, upsert, versions
from tests.projector.feed.sample import feed_files

SOON_SECONDS = 0.05


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(reloading, "RETRY_SECONDS", 0.001)
    return Place(tmp_path)


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


def test_a_reader_waits_for_a_feed_and_follows_it(place: Place) -> None:
    async def main() -> None:
        async with place.reader() as reader:
            await asyncio.sleep(SOON_SECONDS)
            assert (reader.visible, dict(reader.shards)) == (-1, {})
            feed = await place.feed()
            await reader.loaded()
            for frame in (opened(0, A), upsert(1, 1, 2), upsert(2, 2)):
                feed.on_frame(frame)
            feed.flush()
            await reader.waiters.wait(2, TIMEOUT_SECONDS)
            assert versions(reader) == {1: 1, 2: 2}
            feed.close()

    run(main())


def test_nothing_of_a_record_is_shown_before_its_end(place: Place) -> None:
    async def main() -> None:
        feed = await place.feed()
        async with place.reader() as reader:
            await reader.loaded()
            for frame in (opened(0, A), upsert(1, 1), upsert(2, 2, final=False)):
                feed.on_frame(frame)
            feed.flush()
            await reader.waiters.wait(1, TIMEOUT_SECONDS)
            async with place.reader() as later:
                await asyncio.sleep(SOON_SECONDS)
                assert versions(reader) == {1: 1}
                assert later.visible == -1
                feed.on_frame(upsert(2, 3))
                feed.flush()
                for each in (reader, later):
                    await each.waiters.wait(2, TIMEOUT_SECONDS)
                    assert versions(each) == {1: 1, 2: 2, 3: 2}
        feed.close()

    run(main())


def test_segments_ahead_of_the_feed_are_not_shown(place: Place) -> None:
    """The manifest was written before the frames, by a projector that died in between or is about to write them."""

    async def main() -> None:
        feed = await place.feed(State(3, {A: {}}))
        place.seal(5, {1: 4, 2: 5}, usable_from=7)
        async with place.reader() as reader:
            for frame in (upsert(4, 1), upsert(5, 2), upsert(6, 1)):
                feed.on_frame(frame)
                feed.flush()
                await asyncio.sleep(SOON_SECONDS)
                assert reader.visible == -1
            feed.on_frame(Frame(7, []))
            feed.flush()
            await reader.loaded()
            assert reader.visible == 7
            assert versions(reader) == {1: 6, 2: 5}
            assert reader.shards[A].view.tail_rows == 1
        feed.close()

    run(main())


def test_segments_come_into_the_view_when_they_are_told_of(place: Place) -> None:
    async def main() -> None:
        feed = await place.feed()
        async with place.reader() as reader:
            for frame in (opened(0, A), upsert(1, 1, 2), upsert(2, 3)):
                feed.on_frame(frame)
            feed.flush()
            await reader.waiters.wait(2, TIMEOUT_SECONDS)
            assert reader.shards[A].view.tail_rows == 3
            place.seal(1, {1: 1, 2: 1})
            feed.resealed(A, 1)
            await until(lambda: len(reader.shards[A].view.segments) == 1)
            view = reader.shards[A].view
            assert (view.offset, view.tail_rows) == (2, 1)
            assert versions(reader) == {1: 1, 2: 1, 3: 2}
            first = view.segments[0].segment
            # A reader that begins now, and one that loads anew, have the same.
            async with place.reader() as later:
                await later.loaded()
                assert versions(later) == versions(reader)
            feed.close()
            feed = await place.feed(Points(2, {A: {3: 2}}))
            feed.on_frame(upsert(3, 1))
            feed.flush()
            await reader.waiters.wait(3, TIMEOUT_SECONDS)
            assert versions(reader) == {1: 3, 2: 1, 3: 2}
            assert reader.shards[A].view.segments[0].segment is first
        feed.close()

    run(main())


def test_segments_as_of_an_offset_that_did_not_touch_the_shard_come_into_the_view(place: Place) -> None:
    """A projector that starts again seals at the offset at which it recovered."""

    async def main() -> None:
        feed = await place.feed()
        async with place.reader() as reader:
            await reader.loaded()
            for frame in (opened(0, A), upsert(2, 1, 2)):
                feed.on_frame(frame)
            feed.flush()
            await reader.waiters.wait(2, TIMEOUT_SECONDS)
            feed.on_frame(Frame(9, []))
            feed.flush()
            await reader.waiters.wait(9, TIMEOUT_SECONDS)
            assert reader.shards[A].view.offset == 2
            place.seal(9, {1: 2, 2: 2})
            feed.resealed(A, 9)
            await until(lambda: len(reader.shards[A].view.segments) == 1)
            assert (versions(reader), reader.shards[A].view.tail_rows) == ({1: 2, 2: 2}, 0)
        feed.close()

    run(main())


def test_segments_that_come_within_a_record_wait_for_its_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[bool] = []
    plain = LiveShard.catch_up

    def catch_up(live: LiveShard, offset: int) -> bool:
        tries.append(plain(live, offset))
        return tries[-1]

    monkeypatch.setattr(LiveShard, "catch_up", catch_up)

    async def main() -> None:
        feed = await place.feed()
        async with place.reader() as reader:
            await reader.loaded()
            for frame in (opened(0, A), upsert(2, 1, 2), Frame(9, []), upsert(10, 1, final=False)):
                feed.on_frame(frame)
            place.seal(9, {1: 2, 2: 2})
            feed.resealed(A, 9)
            await until(lambda: bool(tries))
            assert not any(tries)
            for frame in (upsert(10, 3), upsert(11, 2)):
                feed.on_frame(frame)
            feed.flush()
            await until(lambda: len(reader.shards[A].view.segments) == 1)
            assert versions(reader) == {1: 10, 2: 11, 3: 10}
        feed.close()

    run(main())


def test_segments_that_can_not_be_read_change_nothing(place: Place) -> None:
    async def main() -> None:
        feed = await place.feed()
        async with place.reader() as reader:
            for frame in (opened(0, A), upsert(1, 1, 2)):
                feed.on_frame(frame)
            place.seal(1, {1: 1, 2: 1}, number=1)
            file = place.folder.shard(0, A) / segment_name(1) / SEGMENT_FILE
            file.write_bytes(file.read_bytes()[:-1])
            feed.resealed(A, 1)
            feed.on_frame(upsert(2, 2))
            feed.flush()
            await reader.waiters.wait(2, TIMEOUT_SECONDS)
            await asyncio.sleep(SOON_SECONDS)
            assert versions(reader) == {1: 1, 2: 2}
            assert reader.shards[A].view.segments == ()
            place.seal(1, {1: 1, 2: 1}, number=2)
            feed.resealed(A, 1)
            await until(lambda: len(reader.shards[A].view.segments) == 1)
            assert versions(reader) == {1: 1, 2: 2}
        feed.close()

    run(main())


def test_without_the_segments_that_a_feed_goes_on_from_nothing_is_shown(place: Place) -> None:
    async def main() -> None:
        feed = await place.feed(State(-1, {A: {}}), file_bytes=1)
        feed.on_frame(upsert(0, 1))
        feed.flush()
        feed.resealed(A, 0)
        async with place.reader() as reader:
            await asyncio.sleep(SOON_SECONDS)
            assert reader.visible == -1
            place.seal(0, {1: 0})
            await reader.loaded()
            assert versions(reader) == {1: 0}
        feed.close()

    run(main())


@pytest.mark.parametrize("torn", [1, 30, 60])
def test_a_torn_frame_at_the_end_keeps_no_reader_waiting(place: Place, torn: int) -> None:
    """The disk was full when the projector wrote it; or it is writing it right now."""

    async def main() -> None:
        feed = await place.feed()
        for frame in (opened(0, A), upsert(1, 1)):
            feed.on_frame(frame)
        feed.flush()
        (file,) = feed_files(place.folder.feed(0))
        whole = file.stat().st_size
        feed.on_frame(upsert(2, 2))
        feed.close()
        data = file.read_bytes()
        assert whole < len(data) - torn
        os.truncate(file, len(data) - torn)
        async with place.reader() as reader:
            await reader.waiters.wait(1, TIMEOUT_SECONDS)
            await reader.loaded()
            assert (reader.visible, versions(reader)) == (1, {1: 1})
            file.write_bytes(data)
            await reader.waiters.wait(2, TIMEOUT_SECONDS)
            assert versions(reader) == {1: 1, 2: 2}

    run(main())


def test_a_shard_that_was_closed_needs_no_segments(place: Place) -> None:
    async def main() -> None:
        place.seal(0, {1: 0})
        feed = await place.feed(Points(1, {A: {1: 0}, B: {5: 1}}))
        rmtree(place.folder.shard(0, A))
        for frame in (upsert(2, 2), Frame(3, [Closed(A)])):
            feed.on_frame(frame)
        feed.flush()
        async with place.reader() as reader:
            await reader.waiters.wait(3, TIMEOUT_SECONDS)
            assert set(reader.shards) == {B}
            assert versions(reader, B) == {5: 1}
        feed.close()

    run(main())


def test_a_shard_whose_folder_is_gone_shows_its_points_until_it_is_closed(place: Place) -> None:
    async def main() -> None:
        place.seal(0, {1: 0, 2: 0})
        feed = await place.feed(Points(1, {A: {1: 0, 2: 0}, B: {5: 1}}))
        async with place.reader() as reader:
            await reader.loaded()
            # The projector has folded Closed; its frame is not written yet.
            rmtree(place.folder.shard(0, A))
            feed.resealed(A, 0)
            place.seal(1, {5: 1}, shard=B)
            feed.resealed(B, 1)
            # Shards are looked at one after the other.
            await until(lambda: len(reader.shards[B].view.segments) == 1)
            assert versions(reader) == {1: 0, 2: 0}
            feed.on_frame(Frame(2, [Closed(A)]))
            feed.flush()
            await reader.waiters.wait(2, TIMEOUT_SECONDS)
            assert set(reader.shards) == {B}
        feed.close()

    run(main())


def test_segments_made_anew_under_the_old_names_are_opened(place: Place) -> None:
    async def main() -> None:
        place.seal(1, {1: 1}, number=1)
        feed = await place.feed(Points(1, {A: {}}))
        async with place.reader() as reader:
            await reader.loaded()
            assert versions(reader) == {1: 1}
            feed.close()
            place.seal(2, {1: 2, 2: 2}, number=1)
            feed = await place.feed(Points(2, {A: {}}))
            await reader.waiters.wait(2, TIMEOUT_SECONDS)
            assert versions(reader) == {1: 2, 2: 2}
        feed.close()

    run(main())


def test_the_visible_offset_never_goes_back(place: Place) -> None:
    """The state was put back to an older one; what came since is on the log."""

    async def main() -> None:
        feed = await place.feed()
        async with place.reader() as reader:
            for frame in (opened(0, A), upsert(1, 1), upsert(2, 2)):
                feed.on_frame(frame)
            feed.close()
            await reader.waiters.wait(2, TIMEOUT_SECONDS)
            waiting = asyncio.create_task(reader.waiters.wait(3, TIMEOUT_SECONDS))
            before = dict(reader.shards)
            feed = await place.feed(Points(1, {A: {1: 1}}))
            await asyncio.sleep(SOON_SECONDS)
            assert (reader.visible, dict(reader.shards)) == (2, before)
            feed.on_frame(upsert(2, 2))
            feed.flush()
            await until(lambda: dict(reader.shards) != before)
            assert (reader.visible, versions(reader)) == (2, {1: 1, 2: 2})
            assert not waiting.done()
            feed.on_frame(Frame(3, []))
            feed.flush()
            await waiting
        feed.close()

    run(main())


def test_a_rejection_is_told_across_generations(place: Place) -> None:
    async def main() -> None:
        feed = await place.feed()
        async with place.reader() as reader:
            await reader.loaded()
            waits = [asyncio.create_task(reader.waiters.wait(offset, TIMEOUT_SECONDS)) for offset in (1, 2, 3)]
            await asyncio.sleep(0)
            feed.on_frame(Frame(1, [], REJECTED))
            feed.flush()
            state = State(2)
            state.rejected = [(1, REJECTED), (2, REJECTED)]
            feed = await place.feed(state)
            feed.on_frame(Frame(3, []))
            feed.flush()
            assert [list(await wait) for wait in waits] == [REJECTED, REJECTED, []]
        feed.close()

    run(main())


def test_what_a_reader_has_missed_is_not_said_to_be_applied(place: Place) -> None:
    async def main() -> None:
        feed = await place.feed()
        async with place.reader() as reader:
            await reader.loaded()
            long_ago = asyncio.create_task(reader.waiters.wait(5, TIMEOUT_SECONDS))
            feed.close()
            feed = await place.feed(State(KEPT_OFFSETS + 10))
            (outcome,) = await long_ago
            assert outcome.status == TimedOutError.status
            assert list(await reader.waiters.wait(11, TIMEOUT_SECONDS)) == []
        feed.close()

    run(main())


def test_the_feed_of_another_log_is_not_followed(place: Place) -> None:
    async def main() -> None:
        other = await place.feed(identity="another log")
        async with place.reader() as reader:
            await asyncio.sleep(SOON_SECONDS)
            assert not reader.waiters.visible >= 0
            other.close()
            feed = await place.feed(State(4))
            await reader.waiters.wait(4, TIMEOUT_SECONDS)
        feed.close()

    run(main())


def test_a_reader_behind_the_cut_loads_anew(place: Place) -> None:
    async def main() -> None:
        feed = await place.feed(file_bytes=1)
        feed.on_frame(opened(0, A))
        feed.flush()
        async with place.reader() as reader:
            await reader.waiters.wait(0, TIMEOUT_SECONDS)
            # Nothing is awaited, so the reader reads nothing meanwhile.
            for offset in range(1, 20):
                feed.on_frame(upsert(offset, offset % 5))
                feed.flush()
                place.seal(offset, {i: _last(offset, i) for i in range(5) if _last(offset, i)})
                feed.resealed(A, offset)
            await reader.waiters.wait(19, TIMEOUT_SECONDS)
            assert versions(reader) == {i: _last(19, i) for i in range(5)}
        feed.close()

    run(main())


def _last(offset: int, point: int) -> int:
    """When a point changed last, up to ``offset``, if every fifth record changes it."""
    return max((at for at in range(1, offset + 1) if at % 5 == point), default=0)

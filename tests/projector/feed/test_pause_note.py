"""What a projector says of a pause reaches those who wait for what it would apply."""

import asyncio
from pathlib import Path

import pytest

from projector.feed.pause_note import NOTE_BYTES, PauseNote, read_note
from schemas.errors import InsufficientStorageError
from tests.projector.feed.place import Place, until

FULL = "state/points-00000/rocksdb can't be written: No space left on device"


def test_it_is_said_taken_back_and_never_grows(tmp_path: Path) -> None:
    path = tmp_path / "paused"
    assert read_note(path) is None
    note = PauseNote(path)
    for reason in (None, FULL, "ü" * NOTE_BYTES, None, FULL):
        note.say(reason)
        assert path.stat().st_size == NOTE_BYTES
        found = read_note(path)
        assert (found is None) == (reason is None)
        assert found is None or found.startswith((reason or "")[:1000])
    note.close()
    assert read_note(path) == FULL
    PauseNote(path).close()
    assert read_note(path) is None


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x05\x00\x00\x00\x00\x00\x00\x00hello", b"\xff" * NOTE_BYTES])
def test_what_is_not_whole_says_nothing(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "paused"
    path.write_bytes(data)
    assert read_note(path) is None


def test_who_waits_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        place = Place(tmp_path)
        feed = await place.feed()
        async with place.reader() as follower:
            await follower.loaded()
            waiting = asyncio.create_task(follower.waiters.wait(5, None, give_up=True))
            await asyncio.sleep(0)
            feed.paused(FULL)
            follower.look_for_pause()
            with pytest.raises(InsufficientStorageError, match="No space left on device"):
                await waiting
            feed.paused(None)
            follower.look_for_pause()
            waiting = asyncio.create_task(follower.waiters.wait(5, 0.01, give_up=True))
            await until(waiting.done)
            assert not isinstance(waiting.exception(), InsufficientStorageError)
        feed.close()

    asyncio.run(main())

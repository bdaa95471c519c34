"""What is opened on a thread is nobody's when nobody waits for it any more."""

import asyncio
import threading

import pytest

from projector.threads import open_aside


class Opened:
    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_on_a_thread() -> None:
    opened = asyncio.run(open_aside(Opened))
    assert (opened.thread == threading.get_ident(), opened.closed) == (False, False)


def test_closed_when_cancelled() -> None:
    began, go_on = threading.Event(), threading.Event()
    made: list[Opened] = []

    def opening() -> Opened:
        began.set()
        go_on.wait()
        made.append(Opened())
        return made[0]

    async def main() -> None:
        task = asyncio.create_task(open_aside(opening))
        await asyncio.to_thread(began.wait)
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [opened.closed for opened in made] == [True]


def test_what_it_raises() -> None:
    def opening() -> Opened:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(open_aside(opening))

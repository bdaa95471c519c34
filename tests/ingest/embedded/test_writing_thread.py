"""Calls on one thread, one after the other."""

import asyncio
import threading
from typing import cast

import pytest

from ingest.embedded.frames import NewRecord
from ingest.embedded.group_commit import GroupCommit
from ingest.embedded.partition_log import PartitionLog
from ingest.embedded.partition_writer import PartitionWriter
from ingest.embedded.writing_thread import WritingThread
from ingest.log import LogUnavailableError


def test_calls_are_made_in_order_on_one_thread_and_all_of_them_before_it_ends() -> None:
    thread = WritingThread("test-write")
    made: list[tuple[int, str]] = []
    begin = threading.Event()
    thread.call(lambda: made.append((-1, str(begin.wait(60)))))
    for number in range(50):
        thread.call(lambda number=number: made.append((number, threading.current_thread().name)))
    begin.set()
    thread.shutdown()
    assert made == [(-1, "True"), *((number, "test-write") for number in range(50))]


def test_a_future_has_the_result_or_the_error() -> None:
    thread = WritingThread("test-write")
    assert thread.submit(divmod, 7, 2).result(60) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        thread.submit(divmod, 7, 0).result(60)
    assert thread.submit(divmod, 9, 2).result(60) == (4, 1)
    thread.shutdown()


def test_what_is_cancelled_in_time_is_not_called() -> None:
    thread = WritingThread("test-write")
    begin, made = threading.Event(), list[int]()
    thread.call(lambda: made.append(begin.wait(60)))
    future = thread.submit(made.append, 2)
    assert future.cancel()
    begin.set()
    thread.shutdown()
    assert made == [True]


def test_it_takes_nothing_more_once_it_ends() -> None:
    thread = WritingThread("test-write")
    thread.shutdown()
    thread.shutdown()
    with pytest.raises(RuntimeError):
        thread.submit(divmod, 7, 2)


def test_it_goes_on_where_the_event_loop_that_waits_for_a_group_has_ended() -> None:
    writing, go_on = threading.Event(), threading.Event()

    class Slow:
        def commit(self, records: object) -> None:
            writing.set()
            go_on.wait(60)
            raise LogUnavailableError("injected")

    thread = WritingThread("test-write")
    group_commit = GroupCommit(thread, 100)
    log, writer = cast("PartitionLog", None), cast("PartitionWriter", Slow())

    async def leave() -> None:
        appending = asyncio.create_task(group_commit.append(log, writer, [NewRecord(0, None, b"value", ())], 10))
        await asyncio.to_thread(writing.wait, 60)
        assert not appending.done()

    asyncio.run(leave())
    go_on.set()
    assert thread.submit(divmod, 7, 2).result(60) == (3, 1)
    thread.shutdown()

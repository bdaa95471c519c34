"""The embedded log through a process that serves it keeps what the Log port promises, and fails as that does."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingest.embedded import EmbeddedLog
from ingest.embedded.log import MAX_RECORD_BYTES, QUEUE_BYTES
from ingest.embedded.served import LogServer, RemoteLog
from ingest.embedded.served.channel import MAX_BYTES
from ingest.embedded.served.remote import ANSWER_SECONDS
from ingest.log import (
    Log,
    LogRecord,
    LogRefusedError,
    LogUnavailableError,
    LogUnreachableError,
    Message,
    NoSuchPartitionError,
    RecordTooLargeError,
    Topic,
)
from tests.ingest.embedded.support import POINTS, QUICK, opened
from tests.ingest.log_contract import LogContract, OpenLog, read_all, within


class Alone(RemoteLog):
    """The only one that uses a log, which is closed with it."""

    server: LogServer
    served: EmbeddedLog

    async def close(self) -> None:
        await super().close()
        await self.server.close()
        await self.served.close()


class TestRemoteLog(LogContract):
    @pytest.fixture
    def open_log(self, tmp_path: Path) -> OpenLog:
        async def open_it(
            partitions: int | None = None,
            *,
            max_record_bytes: int = MAX_RECORD_BYTES,
            queue_bytes: int = QUEUE_BYTES,
        ) -> Log:
            log = await EmbeddedLog.open(tmp_path, partitions, max_record_bytes=max_record_bytes, disk=QUICK)
            server = LogServer(log)
            remote = await Alone.open(server.connect(), queue_bytes=queue_bytes)
            remote.server, remote.served = server, log
            return remote

        return open_it


class OddLog(EmbeddedLog):
    """A log whose answers a test chooses."""

    failure: Exception | None = None
    found: list[LogRecord] | None = None
    answers: asyncio.Event
    waiting = 0

    async def append(self, topic: Topic, partition: int, value: bytes | None, **options: Any) -> int:
        if self.failure is not None:
            raise self.failure
        await self.answers.wait()
        return await super().append(topic, partition, value, **options)

    async def read(self, topic: Topic, partition: int, from_offset: int, max_bytes: int) -> Sequence[LogRecord]:
        return await super().read(topic, partition, from_offset, max_bytes) if self.found is None else self.found

    async def wait(self, topic: Topic, partition: int, offset: int) -> None:
        self.waiting += 1
        try:
            await super().wait(topic, partition, offset)
        finally:
            self.waiting -= 1


@asynccontextmanager
async def odd_log(
    folder: Path, answer_seconds: float = ANSWER_SECONDS
) -> AsyncGenerator[tuple[OddLog, LogServer, RemoteLog]]:
    opened_log = await OddLog.open(folder, 2, disk=QUICK)
    assert isinstance(opened_log, OddLog)
    opened_log.answers = asyncio.Event()
    opened_log.answers.set()
    server = LogServer(opened_log)
    remote = await RemoteLog.open(server.connect(), answer_seconds=answer_seconds)
    try:
        yield opened_log, server, remote
    finally:
        opened_log.answers.set()
        await remote.close()
        await server.close()
        await opened_log.close()


def test_several_processes_append_and_see_what_the_others_did(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path) as log:
            server = LogServer(log)
            first, second = [await RemoteLog.open(server.connect()) for _ in range(2)]
            assert first.identity == second.identity == log.identity
            seen = asyncio.create_task(second.wait(POINTS, 0, 40))
            appends = [(first if i % 2 else second).append(POINTS, 0, b"%d" % i) for i in range(40)]
            offsets = await asyncio.gather(*appends)
            assert sorted(offsets) == list(range(40))
            assert not seen.done()
            await log.append(POINTS, 0, b"its own")
            await seen
            found = [record.value for record in await read_all(first, max_bytes=1000)]
            assert found[:40] == [b"%d" % offsets.index(offset) for offset in range(40)]
            assert found[40:] == [b"its own"]
            await first.close()
            assert await second.end_offset(POINTS, 0) == 41
            await second.close()
            await server.close()

    within(check())


def test_what_ends_in_the_middle_disturbs_nobody(tmp_path: Path) -> None:
    async def check() -> None:
        async with odd_log(tmp_path) as (log, server, remote):
            log.answers.clear()
            ends = server.connect()
            other = await RemoteLog.open(ends)
            appends = [asyncio.create_task(each.append(POINTS, 0, b"x")) for each in (remote, other)]
            await asyncio.sleep(0.01)
            ends.shutdown(socket.SHUT_RDWR)
            with pytest.raises(LogUnreachableError):
                await appends[1]
            await other.gone()
            assert "has ended" in other.trouble
            for call in (other.append(POINTS, 0, b"x"), other.read(POINTS, 0, 0, 1), other.wait(POINTS, 0, 9)):
                with pytest.raises(LogUnreachableError, match="has ended"):
                    await call
            await other.close()
            log.answers.set()
            await appends[0]
            assert (await remote.append(POINTS, 0, b"y")) == await remote.end_offset(POINTS, 0) - 1
            assert remote.trouble == ""

    within(check())


def test_a_process_that_serves_no_longer(tmp_path: Path) -> None:
    async def check() -> None:
        async with odd_log(tmp_path) as (log, server, remote):
            log.answers.clear()
            asked = [
                asyncio.create_task(remote.append(POINTS, 0, b"x")),
                asyncio.create_task(remote.wait(POINTS, 0, 0)),
            ]
            await asyncio.sleep(0.01)
            await server.close()
            for task in asked:
                with pytest.raises(LogUnreachableError, match="has ended"):
                    await task
            await remote.gone()
            gone = server.connect()
            await server.close()
            with pytest.raises(LogUnreachableError):
                await RemoteLog.open(gone)

    within(check())


def test_a_process_that_does_not_answer(tmp_path: Path) -> None:
    async def check() -> None:
        async with odd_log(tmp_path, answer_seconds=0.05) as (log, _, remote):
            log.answers.clear()
            waiting = asyncio.create_task(remote.wait(POINTS, 1, 0))
            with pytest.raises(LogUnavailableError, match=r"has not answered for 0\.05 seconds"):
                await remote.append(POINTS, 0, b"late")
            assert remote.trouble == "the process that keeps the log does not answer"
            assert not waiting.done()
            log.answers.set()
            while remote.trouble:
                await remote.end_offset(POINTS, 0)
            assert await remote.append(POINTS, 1, b"x") == 0
            await waiting
            await remote.append(POINTS, 0, b"next")
            # It was answered too late, not lost.
            assert [record.value for record in await read_all(remote)] == [b"late", b"next"]

    within(check())


def test_who_waits_no_longer_is_not_waited_for(tmp_path: Path) -> None:
    async def check() -> None:
        async with odd_log(tmp_path) as (log, _, remote):
            waits = [asyncio.create_task(remote.wait(POINTS, 0, 5)) for _ in range(10)]
            while log.waiting < 10:
                await asyncio.sleep(0.001)
            for wait in waits:
                wait.cancel()
            while log.waiting:
                await asyncio.sleep(0.001)

    within(check())


@pytest.mark.parametrize(
    "error",
    [
        LogUnavailableError("full"),
        LogRefusedError("settings"),
        RecordTooLargeError("large"),
        NoSuchPartitionError("no 7"),
    ],
)
def test_errors_are_the_same_on_the_other_side(tmp_path: Path, error: Exception) -> None:
    async def check() -> None:
        async with odd_log(tmp_path) as (log, _, remote):
            log.failure = error
            with pytest.raises(type(error), match=str(error)) as caught:
                await remote.append(POINTS, 0, b"x")
            assert type(caught.value) is type(error)

    within(check())


def test_what_nobody_foresaw_is_told_and_goes_to_the_log(tmp_path: Path) -> None:
    async def check() -> None:
        async with odd_log(tmp_path) as (log, _, remote):
            log.failure = ZeroDivisionError("odd")
            with capture_logs() as lines, pytest.raises(RuntimeError, match="odd"):
                await remote.append(POINTS, 0, b"x")
            assert [line["event"] for line in lines] == ["the log failed for another process"]
            log.failure = None
            assert await remote.append(POINTS, 0, b"x") == 0

    within(check())


@pytest.mark.parametrize("sent", [struct.pack(">I", MAX_BYTES + 1), struct.pack(">I", 3) + b"\xc1\xc1\xc1"])
def test_what_is_not_understood_ends_its_connection_alone(tmp_path: Path, sent: bytes) -> None:
    async def check() -> None:
        async with odd_log(tmp_path) as (_, server, remote):
            with server.connect() as other, capture_logs() as lines:
                reader, writer = await asyncio.open_connection(sock=other)
                writer.write(sent)
                await reader.read()  # the welcome, and what follows it: the end
                writer.close()
            assert [line["event"] for line in lines] == ["a process that uses the log is not understood"]
            assert await remote.append(POINTS, 0, b"x") == 0

    within(check())


def test_what_is_too_large_to_be_sent_is_refused_at_once(tmp_path: Path) -> None:
    async def check() -> None:
        async with odd_log(tmp_path) as (_, _, remote):
            large = bytes(MAX_RECORD_BYTES + (1 << 20) + 1)
            with pytest.raises(RecordTooLargeError):
                await remote.append(POINTS, 0, large)
            with pytest.raises(RecordTooLargeError):
                await remote.append_all(POINTS, 0, [Message(b"small"), Message(large)])
            assert await remote.end_offset(POINTS, 0) == 0

    within(check())


def test_an_answer_that_is_too_large_to_be_sent_is_an_error_at_once(tmp_path: Path) -> None:
    async def check() -> None:
        async with odd_log(tmp_path) as (log, _, remote):
            log.found = [LogRecord(0, i, 0, None, bytes(30 << 20), ()) for i in range(2)]
            with capture_logs() as lines, pytest.raises(RuntimeError, match=f"more than {MAX_BYTES}"):
                await remote.read(POINTS, 0, 0, 1 << 20)
            assert [line["event"] for line in lines] == ["an answer for another process can't be sent"]
            assert await remote.append(POINTS, 0, b"x") == 0

    within(check())


def test_many_messages_go_in_parts(tmp_path: Path) -> None:
    async def check() -> None:
        async with odd_log(tmp_path) as (_, _, remote):
            messages = [Message(b"%d" % i + bytes(5 << 20), b"key", (("a", b"b"),)) for i in range(8)]
            await remote.append_all(POINTS, 0, messages)
            found = await read_all(remote, max_bytes=100 << 20)
            assert [(r.value, r.key, r.headers) for r in found] == [(m.value, m.key, m.headers) for m in messages]

    within(check())

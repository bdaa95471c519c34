"""Which log a state was folded from, by which version of the fold, and whether that log still fits it."""

from pathlib import Path
from typing import Protocol

import structlog
from crc32c import crc32c

from ingest.log import Log, Topic
from projector.fold.effects import FOLD_VERSION
from projector.state.fold_history import FOLD_VERSION_KEY, begin_history, fold_rank, go_on, is_readable
from projector.state.kv import Batch, KeyValue

IDENTITY = b"m/identity"
"""The identity of the log this state was folded from."""

_logger = structlog.get_logger("headwater.state")


class StateMismatchError(Exception):
    """The state is not one of this log, or of this release's fold. The message says what to do."""


class LogTruncatedError(StateMismatchError):
    """The log of ``topic`` and ``partition`` begins at ``start``: it no longer has what the state needs next."""

    def __init__(self, message: str, topic: Topic, partition: int, start: int) -> None:
        super().__init__(message)
        self.topic = topic
        self.partition = partition
        self.start = start


def check_origin(kv: KeyValue, folder: Path, identity: str, *, read_only: bool) -> None:
    """Note the origin in a new state; raise StateMismatchError when an existing one has another.

    A state that an older version of the fold wrote is gone on with by this release's.
    """
    found = kv.get(IDENTITY)
    if found is None:
        if read_only:
            return
        batch = Batch()
        batch.put(IDENTITY, identity.encode())
        begin_history(batch)
        kv.write(batch)
        return
    if found.decode() != identity:
        raise StateMismatchError(
            f"{folder} was folded from the log {found.decode()}, not from {identity}. Point Headwater at the log it "
            "belongs to, or move the state folder away to rebuild it from this log."
        )
    version = (kv.get(FOLD_VERSION_KEY) or b"?").decode()
    if not is_readable(version):
        raise StateMismatchError(f"{folder} was folded by version {version} of the fold, {unreadable(version)}")
    if version != FOLD_VERSION and not read_only:
        go_on(kv)
        _logger.warning(
            "a state that another version of the fold wrote is gone on with; headwater verify says whether folding "
            "the whole log by this release's gives the same",
            folder=str(folder),
            version=version,
            now=FOLD_VERSION,
        )


def unreadable(version: str) -> str:
    """Why a state of ``version`` of the fold can't be gone on with, and what to do."""
    if fold_rank(version) > fold_rank(FOLD_VERSION):
        return f"which is newer than this release's, {FOLD_VERSION}. Run the release that wrote it, or a later one."
    return (
        f"which this release, of version {FOLD_VERSION}, can't read. Move the state folder away to rebuild it from the "
        "log."
    )


class FoldedState(Protocol):
    """How far a state is."""

    @property
    def folder(self) -> Path:
        """Where it is."""
        ...

    @property
    def applied(self) -> int:
        """The applied offset."""
        ...

    @property
    def last_checksum(self) -> int | None:
        """crc32c of the record at the applied offset."""
        ...


async def check_log(state: FoldedState, log: Log, topic: Topic, partition: int) -> None:
    """Raise StateMismatchError when the log ends before the state, starts after it, or holds other records.

    Never repaired silently: a state ahead of its log holds effects that a rebuild would lose.
    """
    where = f"{topic}-{partition}"
    start, end = await log.start_offset(topic, partition), await log.end_offset(topic, partition)
    remedy = (
        f"Restore the log, or move the state folder away, where {state.folder} is, to rebuild the state from what the "
        "log holds."
    )
    if state.applied >= end:
        raise StateMismatchError(
            f"the state of {where} is ahead of its log: it has applied offset {state.applied}, but the log ends at "
            f"{end}. The log has lost records. {remedy}"
        )
    check_start(state, start, topic, partition)
    if state.applied < start or state.last_checksum is None:
        return
    records = await log.read(topic, partition, state.applied, 1)
    there = bool(records) and records[0].offset == state.applied
    if not there or crc32c(records[0].value or b"") != state.last_checksum:
        raise StateMismatchError(
            f"the record at offset {state.applied} of {where} is not the one the state was folded from. {remedy}"
        )


async def check_begins(log: Log) -> None:
    """Raise LogTruncatedError when a partition no longer begins with its first record: no state can be made from it."""
    for topic in (Topic.CATALOG, Topic.POINTS):
        for partition in range(log.partitions(topic)):
            start = await log.start_offset(topic, partition)
            if start:
                message = (
                    f"there is no state, and the log can't give one: {topic}-{partition} starts at offset {start}."
                )
                raise LogTruncatedError(message, topic, partition, start)


def check_start(state: FoldedState, start: int, topic: Topic, partition: int) -> None:
    """Raise LogTruncatedError when the log, which begins at ``start``, no longer has what the state needs next."""
    if start > state.applied + 1:
        message = (
            f"the log of {topic}-{partition} starts at offset {start}, but the state needs offset {state.applied + 1} "
            "next. Restore a newer copy of the state, or the log's earlier records."
        )
        raise LogTruncatedError(message, topic, partition, start)

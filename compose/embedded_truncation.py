"""Truncating the embedded log by a snapshot: by the process that has it open, whoever asks."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from compose.errors import UserError
from compose.log_truncate import Cut
from ingest.disk import replace_file
from ingest.embedded import EmbeddedLog, LogLockedError
from ingest.log import Topic

REQUEST_FILE = "truncate.json"
LOOK_SECONDS = 0.1
UNANSWERED_SECONDS = 60.0

_decoder = msgspec.json.Decoder(dict[str, int])


async def truncate(log: EmbeddedLog, cuts: Mapping[str, int]) -> None:
    """Delete what is below the offsets in ``cuts``, by topic-partition. Raises LogUnavailableError."""
    for place, limit in cuts.items():
        topic, _, partition = place.rpartition("-")
        await log.delete_before(Topic(topic), int(partition), limit)


async def truncate_folder(folder: Path, cuts: list[Cut], unanswered_seconds: float = UNANSWERED_SECONDS) -> None:
    """Delete what is to go of the log in ``folder``, or have the process do it that has it open.

    Raises UserError when that doesn't answer, LogUnavailableError, LogDamagedError.
    """
    limits = {f"{cut.topic}-{cut.partition}": cut.limit for cut in cuts}
    try:
        log = await EmbeddedLog.open(folder)
    except LogLockedError:
        await _ask(folder / REQUEST_FILE, limits, unanswered_seconds)
        return
    try:
        await truncate(log, limits)
    finally:
        await log.close()


async def answer(log: EmbeddedLog, folder: Path) -> None:
    """Do what a command asks for, if one does. Raises OSError, LogUnavailableError."""
    path = folder / REQUEST_FILE
    try:
        limits = _decoder.decode(path.read_bytes())
    except FileNotFoundError:
        return
    await truncate(log, limits)
    path.unlink(missing_ok=True)


async def _ask(path: Path, limits: Mapping[str, int], unanswered_seconds: float) -> None:
    replace_file(path, msgspec.json.encode(limits), suffix=".new")
    deadline = time.monotonic() + unanswered_seconds
    while path.exists():
        if time.monotonic() > deadline:
            path.unlink(missing_ok=True)
            raise UserError("the log is open in another process, which doesn't answer. Is it stopped?")
        await asyncio.sleep(LOOK_SECONDS)

"""What all routes about snapshots share: waiting or not, files as answers, and paths' parameters."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import structlog

from ingest.http.endpoint import Call, Reply
from ingest.http.query import Parameters, read_flag, read_text
from ingest.ports import CollectionEntry
from schemas.errors import BadInputError, HeadwaterError, NotFoundError
from schemas.rest.snapshots import SnapshotPriority

TAG = "Snapshots"
WAITS: Parameters = MappingProxyType({"wait": read_flag})
_MAX_SHARD = 2**32 - 1
_ACCEPTED = msgspec.json.encode({"status": "accepted", "time": 0.0})

_logger = structlog.get_logger("headwater.snapshots")


def _priority(name: str, text: str) -> SnapshotPriority:
    try:
        return SnapshotPriority(text)
    except ValueError:
        raise BadInputError(
            f"Deserialize error in query parameters: unknown variant `{text}`, "
            "expected one of `no_sync`, `snapshot`, `replica`"
        ) from None


UPLOADS: Parameters = MappingProxyType({"wait": read_flag, "priority": _priority, "checksum": read_text})


class Background:
    """Runs what a client doesn't wait for."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, call: Call, work: Callable[[], Awaitable[object]]) -> Reply:
        """The answer with what ``work`` gives; or, when the client says ``wait=false``, that it was accepted."""
        if not call.params.declined:
            return Reply(await work())
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Reply(status=202, raw=_ACCEPTED)


async def _logged(work: Callable[[], Awaitable[object]]) -> None:
    try:
        await work()
    except (HeadwaterError, OSError) as error:
        _logger.error("what a request began in the background failed", reason=str(error))


async def file_reply(path: Path, name: str, *, delete: bool = False) -> Reply:
    """A file as an answer, which may be asked for in ranges. ``delete``: it is gone once it is sent."""
    # Few servers ever send one, and to import this takes 20 ms.
    await asyncio.to_thread(import_module, "starlette.responses")
    from starlette.background import BackgroundTask
    from starlette.responses import FileResponse

    gone = BackgroundTask(path.unlink, missing_ok=True) if delete else None
    return Reply(app=FileResponse(path, media_type="application/octet-stream", filename=name, background=gone))


def shard_of_path(call: Call, entry: CollectionEntry) -> int:
    """The number of the shard that the path names. Raises BadInputError, NotFoundError."""
    text = call.path["shard_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _MAX_SHARD):
        raise BadInputError(f'Deserialize error in path parameters: can not parse "{text}" to a u32')
    if entry.shard(int(text)) is None:
        raise NotFoundError(f"Not found: shard {int(text)} not found")
    return int(text)

"""Routes about the snapshots that a folder has: list, fetch, delete."""

import asyncio
from collections.abc import Callable

from compose.snapshots.answering import TAG, WAITS, Background, file_reply
from compose.snapshots.folder import SnapshotDescription, SnapshotFolder
from ingest.http.endpoint import Call, Endpoint, Reply

FolderOf = Callable[[Call], SnapshotFolder]
"""The folder that a request is about. Raises NotFoundError, BadInputError."""


def kept_routes(path: str, of_what: str, folder_of: FolderOf, background: Background) -> list[Endpoint]:
    """The routes below ``path``."""
    routes = _Kept(folder_of, background)
    named = path + "/{snapshot_name}"
    return [
        Endpoint("GET", path, routes.list, f"List the snapshots {of_what}", TAG, result=list[SnapshotDescription]),
        Endpoint(
            "GET",
            named,
            routes.fetch,
            f"Download a snapshot {of_what}",
            TAG,
            enveloped=False,
            media_type="application/octet-stream",
        ),
        Endpoint("DELETE", named, routes.delete, f"Delete a snapshot {of_what}", TAG, result=bool, parameters=WAITS),
    ]


class _Kept:
    def __init__(self, folder_of: FolderOf, background: Background) -> None:
        self._folder_of = folder_of
        self._background = background

    async def list(self, call: Call) -> Reply:
        return Reply(await asyncio.to_thread(self._folder_of(call).list))

    async def fetch(self, call: Call) -> Reply:
        name = call.path["snapshot_name"]
        return await file_reply(self._folder_of(call).find(name), name)

    async def delete(self, call: Call) -> Reply:
        folder, name = self._folder_of(call), call.path["snapshot_name"]

        async def delete() -> bool:
            await asyncio.to_thread(folder.delete, name)
            return True

        return await self._background.run(call, delete)

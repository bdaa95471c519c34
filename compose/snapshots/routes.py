"""Routes about the snapshots of collections, and of everything."""

from pathlib import Path

import msgspec

from compose.snapshots.answering import TAG, UPLOADS, WAITS
from compose.snapshots.folder import SnapshotDescription, SnapshotFolder
from compose.snapshots.form import receive_upload
from compose.snapshots.handling import SnapshotHandling
from compose.snapshots.kept import kept_routes
from compose.snapshots.source import check_sum, scheme_of
from ingest.http.endpoint import Call, Endpoint, Reply
from schemas.errors import NotFoundError
from schemas.rest.decode import decode_body
from schemas.rest.snapshots import SnapshotRecover

_C = "/collections/{collection_name}/snapshots"
_decode_recover = msgspec.json.Decoder(SnapshotRecover)


class SnapshotRoutes(SnapshotHandling):
    """Those of collections, and of everything."""

    def endpoints(self) -> list[Endpoint]:
        """The routes."""
        kept = kept_routes(_C, "of a collection", self._folder, self._background)
        full = kept_routes("/snapshots", "of everything", lambda _: self._root.full, self._background)
        return [
            *kept,
            *full,
            Endpoint(
                "POST",
                _C,
                self._create,
                "Create a snapshot of a collection",
                TAG,
                result=SnapshotDescription,
                parameters=WAITS,
            ),
            Endpoint(
                "POST",
                "/snapshots",
                self._create_full,
                "Create a snapshot of everything",
                TAG,
                result=SnapshotDescription,
                parameters=WAITS,
            ),
            Endpoint(
                "PUT",
                f"{_C}/recover",
                self._recover,
                "Recover a collection from a snapshot",
                TAG,
                result=bool,
                body=SnapshotRecover,
                parameters=WAITS,
            ),
            Endpoint(
                "POST",
                f"{_C}/upload",
                self._upload,
                "Recover a collection from an uploaded snapshot",
                TAG,
                result=bool,
                parameters=UPLOADS,
                streams=True,
            ),
        ]

    def _folder(self, call: Call) -> SnapshotFolder:
        return self._root.collection(self._catalog.resolve(call.collection).name)

    async def _create(self, call: Call) -> Reply:
        entry = self._catalog.resolve(call.collection)
        return await self._background.run(call, lambda: self._maker.collection(entry))

    async def _create_full(self, call: Call) -> Reply:
        self._catalog.collections()
        return await self._background.run(call, self._maker.full)

    async def _recover(self, call: Call) -> Reply:
        request = decode_body(_decode_recover, call.body)
        scheme_of(request.location)
        name = self._name(call.collection)

        async def recover() -> bool:
            async with self._source.get(request.location, request.api_key) as path:
                await check_sum(path, request.checksum)
                await self._restorer.collection(name, path)
            return True

        return await self._background.run(call, recover)

    async def _upload(self, call: Call) -> Reply:
        name = self._name(call.collection)

        async def restore(path: Path) -> bool:
            await check_sum(path, call.params.others.get("checksum"))
            await self._restorer.collection(name, path)
            return True

        return await receive_upload(call, self._root, self._background, restore)

    def _name(self, name: str) -> str:
        """The collection that is to be recovered: the one of this name or alias, or a new one."""
        try:
            return self._catalog.resolve(name).name
        except NotFoundError:
            return name

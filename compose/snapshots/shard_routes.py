"""Routes about the snapshots of shards."""

import contextlib
from pathlib import Path

import msgspec

from compose.snapshots.answering import TAG, UPLOADS, WAITS, file_reply, shard_of_path
from compose.snapshots.folder import SUFFIX, SnapshotDescription, SnapshotFolder, is_name
from compose.snapshots.form import receive_upload
from compose.snapshots.handling import SnapshotHandling
from compose.snapshots.kept import kept_routes
from compose.snapshots.source import check_sum
from ingest.http.endpoint import Call, Endpoint, Reply
from ingest.ports import CollectionEntry
from schemas.rest.decode import decode_body
from schemas.rest.snapshots import ShardSnapshotRecover

_S = "/collections/{collection_name}/shards/{shard_id}"
_C = f"{_S}/snapshots"
_decode_recover = msgspec.json.Decoder(ShardSnapshotRecover)


class ShardSnapshotRoutes(SnapshotHandling):
    """Those of shards."""

    def endpoints(self) -> list[Endpoint]:
        """The routes."""
        return [
            *kept_routes(_C, "of a shard", self._folder, self._background),
            Endpoint(
                "POST",
                _C,
                self._create,
                "Create a snapshot of a shard",
                TAG,
                result=SnapshotDescription,
                parameters=WAITS,
            ),
            Endpoint(
                "GET",
                f"{_S}/snapshot",
                self._stream,
                "Download a shard as a snapshot",
                TAG,
                enveloped=False,
                media_type="application/octet-stream",
            ),
            Endpoint(
                "PUT",
                f"{_C}/recover",
                self._recover,
                "Recover a shard from a snapshot",
                TAG,
                result=bool,
                body=ShardSnapshotRecover,
                parameters=WAITS,
            ),
            Endpoint(
                "POST",
                f"{_C}/upload",
                self._upload,
                "Recover a shard from an uploaded snapshot",
                TAG,
                result=bool,
                parameters=UPLOADS,
                streams=True,
            ),
        ]

    def _shard(self, call: Call) -> tuple[CollectionEntry, int]:
        entry = self._catalog.resolve(call.collection)
        return entry, shard_of_path(call, entry)

    def _folder(self, call: Call) -> SnapshotFolder:
        entry, shard = self._shard(call)
        return self._root.shard(entry.name, shard)

    async def _create(self, call: Call) -> Reply:
        entry, shard = self._shard(call)
        return await self._background.run(call, lambda: self._maker.shard(entry, shard))

    async def _stream(self, call: Call) -> Reply:
        entry, shard = self._shard(call)
        name = self._folder(call).free_name(f"{entry.name}-shard-{shard}")
        path = self._root.new_file()
        try:
            await self._maker.write_shard(entry, shard, path)
            return await file_reply(path, name, delete=True)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    async def _recover(self, call: Call) -> Reply:
        request = decode_body(_decode_recover, call.body)
        entry, shard = self._shard(call)
        folder = self._folder(call)

        async def recover() -> bool:
            async with contextlib.AsyncExitStack() as stack:
                if is_name(request.location) and ":" not in request.location.removesuffix(SUFFIX):
                    path = folder.find(request.location)
                else:
                    path = await stack.enter_async_context(self._source.get(request.location, request.api_key))
                return await self._restore(entry, shard, path, request.checksum)

        return await self._background.run(call, recover)

    async def _upload(self, call: Call) -> Reply:
        entry, shard = self._shard(call)
        checksum = call.params.others.get("checksum")
        return await receive_upload(
            call, self._root, self._background, lambda path: self._restore(entry, shard, path, checksum)
        )

    async def _restore(self, entry: CollectionEntry, shard: int, path: Path, checksum: str | None) -> bool:
        await check_sum(path, checksum)
        await self._restorer.shard(entry, shard, path)
        return True

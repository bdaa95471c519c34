"""Routes that create, change and drop collections, and change aliases."""

import msgspec

from ingest.catalog_writer import CatalogWriter
from ingest.deadline import Deadline
from ingest.http.endpoint import Call, Endpoint, Reply
from ingest.http.limits import Limits
from ingest.http.offsets import OFFSETS_HEADER, Offset, render_offsets
from schemas.rest.aliases import ChangeAliasesRequest
from schemas.rest.collections import CreateCollectionRequest, UpdateCollectionRequest
from schemas.rest.decode import decode_body
from schemas.validation import check_operation_count

TAG = "Collections"
_PATH = "/collections/{collection_name}"
_decode_create = msgspec.json.Decoder(CreateCollectionRequest)
_decode_update = msgspec.json.Decoder(UpdateCollectionRequest)
_decode_aliases = msgspec.json.Decoder(ChangeAliasesRequest)


class CollectionWriteRoutes:
    """The routes that change the catalog. All answer once the change is visible."""

    def __init__(self, writer: CatalogWriter, limits: Limits) -> None:
        self._writer = writer
        self._limits = limits

    def endpoints(self) -> list[Endpoint]:
        """Create, update, delete, aliases."""
        return [
            Endpoint(
                "POST",
                "/collections/aliases",
                self._change_aliases,
                "Update aliases of collections",
                "Aliases",
                result=bool,
                body=ChangeAliasesRequest,
                timeout=True,
            ),
            Endpoint(
                "PUT",
                _PATH,
                self._create,
                "Create collection",
                TAG,
                result=bool,
                body=CreateCollectionRequest,
                timeout=True,
            ),
            Endpoint(
                "PATCH",
                _PATH,
                self._update,
                "Update collection parameters",
                TAG,
                result=bool,
                body=UpdateCollectionRequest,
                timeout=True,
            ),
            Endpoint("DELETE", _PATH, self._delete, "Delete collection", TAG, result=bool, timeout=True),
        ]

    async def _create(self, call: Call) -> Reply:
        config = decode_body(_decode_create, call.body).config(call.collection)
        return _done(await self._writer.create(call.collection, config, self._deadline(call)))

    async def _update(self, call: Call) -> Reply:
        patch = decode_body(_decode_update, call.body).patch()
        return _done(await self._writer.update(call.collection, patch, self._deadline(call)))

    async def _delete(self, call: Call) -> Reply:
        offset = await self._writer.delete(call.collection, self._deadline(call))
        return Reply(False) if offset is None else _done(offset)

    async def _change_aliases(self, call: Call) -> Reply:
        actions = decode_body(_decode_aliases, call.body).actions
        check_operation_count("actions", len(actions))
        return _done(await self._writer.change_aliases([a.action() for a in actions], self._deadline(call)))

    def _deadline(self, call: Call) -> Deadline:
        return self._limits.deadline(call.params.timeout)


def _done(offset: Offset) -> Reply:
    return Reply(True, ((OFFSETS_HEADER, render_offsets((offset,))),))

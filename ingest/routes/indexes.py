"""Routes that declare and remove payload indexes."""

from collections.abc import Mapping

import msgspec

from ingest.catalog_writer import CatalogWriter
from ingest.http.endpoint import Call, Endpoint, Reply
from ingest.http.limits import Limits
from ingest.http.offsets import OFFSETS_HEADER, render_offsets
from ingest.ports import Catalog
from ingest.strict.writes import StrictWrites
from schemas.errors import BadInputError
from schemas.payload_index import PayloadIndex, field_name
from schemas.rest.decode import decode_body
from schemas.rest.indexes import CreateIndexRequest
from schemas.rest.responses import UpdateResult, UpdateStatus

TAG = "Indexes"
_PATH = "/collections/{collection_name}/index"
_FIELD = "field_name"
_decode = msgspec.json.Decoder(CreateIndexRequest)


class IndexRoutes:
    """They answer once the declaration is visible, whatever ``wait`` says: what it means holds from its offset on."""

    def __init__(self, catalog: Catalog, writer: CatalogWriter, limits: Limits, strict: StrictWrites) -> None:
        self._catalog = catalog
        self._strict = strict
        self._writer = writer
        self._limits = limits

    def endpoints(self) -> list[Endpoint]:
        """Create and delete."""
        return [
            Endpoint(
                "PUT",
                _PATH,
                self._create,
                "Create payload index",
                TAG,
                result=UpdateResult,
                body=CreateIndexRequest,
                writes=True,
            ),
            Endpoint(
                "DELETE",
                f"{_PATH}/{{{_FIELD}}}",
                self._delete,
                "Delete payload index",
                TAG,
                result=UpdateResult,
                writes=True,
            ),
        ]

    async def _create(self, call: Call) -> Reply:
        changes = decode_body(_decode, call.body).change()
        self._strict.check_index(self._catalog.resolve(call.collection), call.params.timeout)
        return await self._change(call, changes)

    async def _delete(self, call: Call) -> Reply:
        text = call.path[_FIELD]
        try:
            name = field_name(text)
        except BadInputError as error:
            raise BadInputError(f"Deserialize error in path parameters: Invalid json path: '{text}'") from error
        return await self._change(call, {name: None})

    async def _change(self, call: Call, changes: Mapping[str, PayloadIndex | None]) -> Reply:
        deadline = call.deadline(self._limits)
        written = await self._writer.declare(call.collection, changes, deadline)
        status = UpdateStatus.COMPLETED if call.params.wait else UpdateStatus.ACKNOWLEDGED
        return Reply(UpdateResult(written[1], status), ((OFFSETS_HEADER, render_offsets((written,))),))

"""Routes that create, change and drop collections, and change aliases."""

import msgspec

from ingest.catalog_writer import CatalogWriter
from ingest.deadline import Deadline
from ingest.http.endpoint import Call, Endpoint, Reply
from ingest.http.limits import Limits
from ingest.http.offsets import OFFSETS_HEADER, Offset, render_offsets
from schemas.errors import UnprocessableError
from schemas.rest.aliases import ChangeAliasesRequest
from schemas.rest.collections import CreateCollectionRequest, UpdateCollectionRequest, VectorNameRequest
from schemas.rest.decode import decode_body
from schemas.rest.responses import UpdateResult, UpdateStatus
from schemas.validation import check_operation_count

TAG = "Collections"
_PATH = "/collections/{collection_name}"
_VECTOR_PATH = "/collections/{collection_name}/vectors/{vector_name}"
_MAX_VECTOR_NAME = 200
_decode_vector_name = msgspec.json.Decoder(VectorNameRequest)
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
            Endpoint(
                "PUT",
                _VECTOR_PATH,
                self._add_vector,
                "Create named vector",
                TAG,
                result=UpdateResult,
                body=VectorNameRequest,
                writes=True,
            ),
            Endpoint(
                "DELETE",
                _VECTOR_PATH,
                self._delete_vector,
                "Delete named vector",
                TAG,
                result=UpdateResult,
                writes=True,
            ),
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

    async def _add_vector(self, call: Call) -> Reply:
        name = _vector_name(call)
        params = decode_body(_decode_vector_name, call.body).params()
        offset = await self._writer.add_vector(call.collection, name, params, self._deadline(call))
        return _updated(call, offset)

    async def _delete_vector(self, call: Call) -> Reply:
        offset = await self._writer.delete_vector(call.collection, call.path["vector_name"], self._deadline(call))
        return _updated(call, offset)

    async def _change_aliases(self, call: Call) -> Reply:
        actions = decode_body(_decode_aliases, call.body).actions
        check_operation_count("actions", len(actions))
        return _done(await self._writer.change_aliases([a.action() for a in actions], self._deadline(call)))

    def _deadline(self, call: Call) -> Deadline:
        return call.deadline(self._limits)


def _vector_name(call: Call) -> str:
    """The name of a vector to add. Raises UnprocessableError for one that no path or stored file can have."""
    name = call.path["vector_name"]
    problem = None
    if "/" in name:
        problem = 'cannot contain "/" char'
    elif len(name.encode()) > _MAX_VECTOR_NAME:
        problem = f"must be at most {_MAX_VECTOR_NAME} bytes long"
    if problem is not None:
        raise UnprocessableError(f"Validation error in path parameters: [vector_name: vector name {problem}]")
    return name


def _updated(call: Call, offset: Offset) -> Reply:
    status = UpdateStatus.COMPLETED if call.params.wait else UpdateStatus.ACKNOWLEDGED
    return Reply(UpdateResult(offset[1], status), ((OFFSETS_HEADER, render_offsets((offset,))),))


def _done(offset: Offset) -> Reply:
    return Reply(True, ((OFFSETS_HEADER, render_offsets((offset,))),))

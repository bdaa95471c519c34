"""Foreign records, decoded: which collection they name, and the operations they mean under its configuration."""

from typing import Any

import msgspec

from ingest import requests
from ingest.foreign.bodies import MakeOperations
from schemas.config import CollectionConfig
from schemas.errors import BadInputError
from schemas.ids import WireId, from_wire, parse_point_id, shard_of
from schemas.operations import DeletePoints, Operation
from schemas.rest.points import JsonId, PointRequest, RawObject, RawVector, UpsertRequest


class ForeignWrite(msgspec.Struct, frozen=True, gc=False):
    """A decoded foreign record. ``collection`` is a collection's name, or an alias."""

    collection: str = msgspec.field(name="collection_name")

    def operations(self, config: CollectionConfig) -> list[Operation]:
        """The record's operations, checked as those of the REST API are.

        Raises BadInputError for what is wrong under ``config``, with all operations or none.
        """
        raise NotImplementedError

    def home(self, shards: int) -> int | None:
        """The one shard, of ``shards``, that the record is about; None where it isn't plain that there is just one."""
        return None


class PointWrite(ForeignWrite, frozen=True, gc=False, forbid_unknown_fields=True):
    """One point to insert or replace, as its JSON says it."""

    id: JsonId
    vector: RawVector
    payload: RawObject | msgspec.UnsetType = msgspec.UNSET

    def operations(self, config: CollectionConfig) -> list[Operation]:
        """One upsert. Raises BadInputError."""
        request = UpsertRequest(points=[PointRequest(self.id, self.vector, self.payload)])
        try:
            return [requests.checked(config, requests.upsert(config, request))]
        except BadInputError as error:
            raise BadInputError(error.message.replace("points[0].", "")) from error

    def home(self, shards: int) -> int | None:
        """The shard of its id, None when that is no good."""
        try:
            return shard_of(parse_point_id(self.id), shards)
        except BadInputError:
            return None


class RequestWrite(ForeignWrite, frozen=True, gc=False):
    """A body of the REST API."""

    request: Any
    make: MakeOperations

    def operations(self, config: CollectionConfig) -> list[Operation]:
        """The request's operations. Raises BadInputError, UnprocessableError."""
        return self.make(config, self.request)


class Tombstone(ForeignWrite, frozen=True, gc=False):
    """A message without a value: its point is deleted."""

    id: WireId

    def operations(self, config: CollectionConfig) -> list[Operation]:
        """One delete."""
        return [DeletePoints(ids=[self.id])]

    def home(self, shards: int) -> int | None:
        """The shard of its id."""
        return shard_of(from_wire(self.id), shards)

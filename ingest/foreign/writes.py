"""Foreign records, decoded: which collection they name, and the operations they mean under its configuration."""

from typing import Any

import msgspec

from ingest import requests
from ingest.foreign.bodies import MakeOperations
from schemas.config import CollectionConfig
from schemas.errors import BadInputError
from schemas.ids import WireId
from schemas.operations import DeletePoints, Operation, UpdateVectors, Upsert
from schemas.rest.points import JsonId, PointRequest, RawObject, RawVector, UpsertRequest


class ForeignWrite(msgspec.Struct, frozen=True, gc=False):
    """A decoded foreign record. ``collection`` is a collection's name, or an alias."""

    collection: str

    def operations(self, config: CollectionConfig) -> list[Operation]:
        """The record's operations, checked as those of the REST API are.

        Raises BadInputError for what is wrong under ``config``, with all operations or none.
        """
        raise NotImplementedError


class PointWrite(ForeignWrite, frozen=True, gc=False):
    """One point to insert or replace."""

    id: JsonId
    vector: RawVector
    payload: RawObject | msgspec.UnsetType

    def operations(self, config: CollectionConfig) -> list[Operation]:
        """One upsert. Raises BadInputError."""
        request = UpsertRequest(points=[PointRequest(self.id, self.vector, self.payload)])
        try:
            return [requests.checked(config, requests.upsert(config, request))]
        except BadInputError as error:
            raise BadInputError(error.message.replace("points[0].", "")) from error


class RequestWrite(ForeignWrite, frozen=True, gc=False):
    """A body of the REST API."""

    request: Any
    make: MakeOperations

    def operations(self, config: CollectionConfig) -> list[Operation]:
        """The request's operations. Raises BadInputError."""
        operations = self.make(config, self.request)
        for operation in operations:
            _check_numbers(operation)
        return operations


class Tombstone(ForeignWrite, frozen=True, gc=False):
    """A message without a value: its point is deleted."""

    id: WireId

    def operations(self, config: CollectionConfig) -> list[Operation]:
        """One delete."""
        return [DeletePoints(ids=[self.id])]


def _check_numbers(operation: Operation) -> None:
    """Refuse what a canonical record can't say, so that it makes no difference where an operation is applied."""
    condition = operation.update_filter if isinstance(operation, Upsert | UpdateVectors) else operation.filter
    if condition is None:
        return
    try:
        msgspec.msgpack.encode(condition)
    except OverflowError as error:
        raise BadInputError("Wrong input: a number is out of the range of 64 bits") from error

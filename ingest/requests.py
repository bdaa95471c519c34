"""REST requests to operations: columnar, and checked under the collection's configuration."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

import msgspec

from ingest.parser import points_of, vectors_of
from ingest.payload_checks import check_payloads
from ingest.vector_columns import pack_written, to_columns
from schemas.config import UNNAMED, CollectionConfig
from schemas.errors import BadInputError, UnprocessableError
from schemas.ids import WireId, are_numbers, parse_point_id, to_wire
from schemas.operations import (
    ClearPayload,
    DeletePayload,
    DeletePoints,
    DeleteVectors,
    Operation,
    OverwritePayload,
    SetPayload,
    UpdateMode,
    UpdateVectors,
    Upsert,
)
from schemas.rest.decode import UNCOUNTED_BYTES, check_density, decode_part
from schemas.rest.points import (
    BatchRequest,
    DeletePayloadRequest,
    DeleteVectorsRequest,
    JsonColumns,
    JsonFilter,
    JsonId,
    PointRequest,
    RawObject,
    SelectorRequest,
    SetPayloadRequest,
    UpdateOperationRequest,
    UpdateVectorsRequest,
    UpsertRequest,
)
from schemas.rest.shard_keys import ShardKeySelector
from schemas.validation import (
    check_operation,
    check_operation_count,
    check_point_count,
    decode_payload,
)
from schemas.vectors.plain import only_plain
from schemas.vectors.registry import VectorColumn

_EMPTY = (b"null", b"{}")
RequestT = TypeVar("RequestT", bound="UpsertRequest | UpdateVectorsRequest | SelectorRequest")
_decode_columns = msgspec.json.Decoder(JsonColumns)
_decode_filter = msgspec.json.Decoder(JsonFilter | None)


def wire_ids(ids: Sequence[JsonId], where: str) -> list[WireId]:
    """Ids in wire form; ``where`` is the path of the one at a position. Raises BadInputError naming a bad one."""
    if are_numbers(ids):
        return list(cast("Sequence[int]", ids))
    try:
        return [to_wire(parse_point_id(i)) for i in ids]
    except BadInputError:
        for position, value in enumerate(ids):
            _check_id(value, where.format(position))
        raise


def _check_id(value: JsonId, path: str) -> None:
    try:
        parse_point_id(value)
    except BadInputError as error:
        raise BadInputError(f"Format error in JSON body: {error.message} at {path}") from error


def _filter(raw: RawObject | msgspec.UnsetType, where: str) -> JsonFilter | None:
    if raw is msgspec.UNSET:
        return None
    text = bytes(raw)
    check_density(text, where)
    return decode_part(_decode_filter, text, where)


def _selected(request: SelectorRequest) -> list[WireId] | None:
    return None if request.points is None else wire_ids(request.points, "points[{}]")


def _filtered(request: SelectorRequest) -> JsonFilter | None:
    return None if request.points is not None else _filter(request.filter, "filter")


def _payloads(raw: Sequence[msgspec.Raw | bytes | msgspec.UnsetType]) -> list[bytes] | None:
    """Payloads as bytes, empty for none; None when nobody has one."""
    payloads = [b"" if item is msgspec.UNSET or (payload := bytes(item)) in _EMPTY else payload for item in raw]
    return payloads if any(payloads) else None


def plain_upsert(config: CollectionConfig, body: bytes) -> Upsert | None:
    """The operation, checked, of an upsert whose body is as most are: points with the unnamed vector, and nothing else.

    None of any other, and where anything is wrong: what to say of that is known to who decodes an ``UpsertRequest``.
    """
    kind = only_plain(config)
    read = None if kind is None else points_of(body, kind.dim)
    if kind is None or read is None:
        return None
    ids, vectors, payloads = read
    try:
        wired, given = wire_ids(ids, "points[{}].id"), payloads if any(payloads) else None
        operation = Upsert(wired, {UNNAMED: kind.plain(vectors)}, given)
        # The vectors that are read have the right size, and finite numbers only.
        check_point_count(len(ids))
        check_payloads(operation)
    except BadInputError:
        return None
    return operation


def upsert(config: CollectionConfig, request: UpsertRequest) -> Upsert:
    """The operation of an upsert in either form. Raises BadInputError."""
    mode = UpdateMode.UPSERT if request.update_mode is None else UpdateMode(request.update_mode)
    if request.batch is not None:
        batch = request.batch
        ids = wire_ids(batch.ids, "batch.ids[{}]")
        return Upsert(
            ids,
            _batch_columns(config, batch),
            _batch_payloads(batch),
            _filter(request.update_filter, "update_filter"),
            mode,
        )
    points = request.points or []
    ids = wire_ids([point.id for point in points], "points[{}].id")
    columns = to_columns(config, [_vector(point, position) for position, point in enumerate(points)])
    return Upsert(
        ids,
        columns,
        _payloads([point.payload for point in points]),
        _filter(request.update_filter, "update_filter"),
        mode,
    )


def _vector(point: PointRequest, position: int) -> msgspec.Raw:
    vector = point.vectors if point.vector is msgspec.UNSET else point.vector
    if vector is msgspec.UNSET:
        raise BadInputError(f"Format error in JSON body: missing field `vector` at points[{position}]")
    return vector


def _batch_columns(config: CollectionConfig, batch: BatchRequest) -> dict[str, VectorColumn]:
    plain = only_plain(config)
    if plain is not None and (data := vectors_of(bytes(batch.vectors), plain.dim)) is not None:
        if len(data) != plain.width * len(batch.ids):
            raise _unequal(batch, "vectors", len(data) // plain.width)
        return {UNNAMED: plain.plain(data)}
    decoded = _decoded_columns(batch, max(1, len(config.names)))
    named = decoded if isinstance(decoded, dict) else {UNNAMED: decoded}
    columns: dict[str, VectorColumn] = {}
    for name, vectors in named.items():
        if len(vectors) != len(batch.ids):
            raise _unequal(batch, "vectors", len(vectors))
        columns[name] = pack_written(config, name, vectors, range(len(vectors)), _batch_path)
    return columns


def _decoded_columns(batch: BatchRequest, names: int) -> JsonColumns:
    text = bytes(batch.vectors)
    # An empty list takes twenty times its text once decoded. There is one around each column.
    if len(text) > UNCOUNTED_BYTES and text.count(b"[") > names * (len(batch.ids) + 1):
        raise _unequal(batch, "vectors", "more")
    return decode_part(_decode_columns, text, "batch.vectors")


def _batch_path(position: int, name: str) -> str:
    return f"batch.vectors.{name}[{position}]" if name else f"batch.vectors[{position}]"


def _batch_payloads(batch: BatchRequest) -> list[bytes] | None:
    if batch.payloads is None:
        return None
    if len(batch.payloads) != len(batch.ids):
        raise _unequal(batch, "payloads", len(batch.payloads))
    return _payloads(batch.payloads)


def _unequal(batch: BatchRequest, what: str, count: int | str) -> UnprocessableError:
    return UnprocessableError(
        f"Validation error in JSON body: [batch: number of ids and {what} must be equal ({len(batch.ids)} != {count})]"
    )


def update_vectors(config: CollectionConfig, request: UpdateVectorsRequest) -> UpdateVectors:
    """The operation of replacing vectors. Raises BadInputError."""
    if not request.points:
        raise UnprocessableError("Validation error in JSON body: [points: must specify points to update]")
    ids = wire_ids([point.id for point in request.points], "points[{}].id")
    columns = to_columns(config, [point.vector for point in request.points])
    _check_each_has_one(columns, len(ids))
    return UpdateVectors(ids, columns, _filter(request.update_filter, "update_filter"))


def _check_each_has_one(columns: Mapping[str, VectorColumn], points: int) -> None:
    if any(column.rows is None for column in columns.values()):
        return
    having = {row for column in columns.values() for row in column.rows or ()}
    if len(having) < points:
        lacking = next(row for row in range(points) if row not in having)
        raise UnprocessableError(
            f"Validation error in JSON body: [points[{lacking}].vector: must specify vectors to update for point]"
        )


def delete_points(_: CollectionConfig, request: SelectorRequest) -> DeletePoints:
    """The operation of deleting points. Raises BadInputError."""
    return DeletePoints(_selected(request), _filtered(request))


def delete_vectors(_: CollectionConfig, request: DeleteVectorsRequest) -> DeleteVectors:
    """The operation of removing vectors. Raises BadInputError."""
    if not request.vector:
        raise UnprocessableError("Validation error in JSON body: [vector: must specify vector names to delete]")
    return DeleteVectors(list(dict.fromkeys(request.vector)), _selected(request), _filtered(request))


def set_payload(_: CollectionConfig, request: SetPayloadRequest) -> SetPayload:
    """The operation of merging a payload. Raises BadInputError."""
    return SetPayload(bytes(request.payload), request.key, _selected(request), _filtered(request))


def overwrite_payload(_: CollectionConfig, request: SetPayloadRequest) -> OverwritePayload:
    """The operation of replacing payloads. Raises BadInputError."""
    return OverwritePayload(bytes(request.payload), request.key, _selected(request), _filtered(request))


def delete_payload(_: CollectionConfig, request: DeletePayloadRequest) -> DeletePayload:
    """The operation of removing payload keys. Raises BadInputError."""
    return DeletePayload(request.keys, _selected(request), _filtered(request))


def clear_payload(_: CollectionConfig, request: SelectorRequest) -> ClearPayload:
    """The operation of removing whole payloads. Raises BadInputError."""
    return ClearPayload(_selected(request), _filtered(request))


_BATCH: dict[str, Callable[..., Operation]] = {
    "upsert": upsert,
    "delete": delete_points,
    "set_payload": set_payload,
    "overwrite_payload": overwrite_payload,
    "delete_payload": delete_payload,
    "clear_payload": clear_payload,
    "update_vectors": update_vectors,
    "delete_vectors": delete_vectors,
}


def batch_operations(config: CollectionConfig, requests: Sequence[UpdateOperationRequest]) -> list[Operation]:
    """The operations of a batch, checked.

    Raises BadInputError or UnprocessableError naming the operation, the latter also when there are too many.
    """
    check_operation_count("operations", len(requests))
    operations: list[Operation] = []
    for index, request in enumerate(requests):
        try:
            operations.append(_batch_operation(config, request))
        except (BadInputError, UnprocessableError) as error:
            raise type(error)(f"{error.message} (in operations[{index}])") from error
    return operations


def shard_key_of(request: UpdateOperationRequest) -> ShardKeySelector | None:
    """The shard key that an operation of a batch names."""
    part = next(found for name in _BATCH if (found := getattr(request, name)) is not None)
    key: ShardKeySelector | None = part.shard_key
    return key


def _batch_operation(config: CollectionConfig, request: UpdateOperationRequest) -> Operation:
    for name, make in _BATCH.items():
        part = getattr(request, name)
        if part is not None:
            return operation_of(config, make, part)
    raise AssertionError("an operation of a batch is one of eight")


def operation_of(
    config: CollectionConfig, make: Callable[[CollectionConfig, RequestT], Operation], request: RequestT
) -> Operation:
    """The operation that ``make`` makes of ``request``, checked. Raises BadInputError, UnprocessableError."""
    return checked(config, make(config, request))


def checked(config: CollectionConfig, operation: Operation) -> Operation:
    """``operation``, once everything that can be checked without the points is. Raises BadInputError."""
    _check_not_empty(operation)
    check_operation(config, operation)
    try:
        check_payloads(operation)
    except BadInputError as error:
        if isinstance(operation, Upsert):
            _name_bad_payload(operation.payloads or [])
        raise BadInputError(f"Wrong input: {error.message}") from error
    return operation


def _check_not_empty(operation: Operation) -> None:
    if operation.ids is not None and not operation.ids:
        raise BadInputError("Bad request: Empty update request")


def _name_bad_payload(payloads: Sequence[bytes]) -> None:
    for position, payload in enumerate(payloads):
        try:
            decode_payload(payload)
        except BadInputError as error:
            raise BadInputError(f"Wrong input: points[{position}].payload: {error.message}") from error

"""Records: the messages on the log and their canonical encoding, MessagePack maps (docs/log-format.md).

Every record has ``v``, the version of the format, and ``type``. On the points topic: ``points`` (operations for one
shard) and the markers. On the catalog topic: collections and aliases.
"""

from typing import Annotated, Any

import msgspec

from schemas.config import CollectionConfig, CollectionPatch
from schemas.errors import BadInputError
from schemas.operations import Operation
from schemas.operations_v1 import OperationV1, upgrade
from schemas.rest.shard_keys import ShardKey
from schemas.vectors.params import SparseVectorParams, VectorParams

RECORD_VERSION = 2
CONTENT_TYPE_HEADER = "content-type"
CANONICAL_CONTENT_TYPE = b"application/vnd.headwater.record+msgpack"
REQUEST_CONTENT_TYPE = CANONICAL_CONTENT_TYPE + b"; from=request"
"""Of a canonical record that a write route made of a client's request: the client is told what becomes of it."""


# What the state can keep as a key or a number of its own. An uint of MessagePack ends below 2**64 by itself.
Uid = Annotated[int, msgspec.Meta(ge=0)]
ShardNumber = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Partition = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
MarkerSeq = Annotated[int, msgspec.Meta(ge=1)]
PartitionCount = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
LogOffset = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
ForwardIndex = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class NewerRecordError(BadInputError):
    """The record was written by a later release, in a version of the format that this one does not know."""


def _version() -> int:
    return RECORD_VERSION


class _Record(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    # A factory, because ``omit_defaults`` leaves out a field that has its plain default, and ``v`` is always written.
    v: int = msgspec.field(default_factory=_version)


class Origin(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Where a forwarded record came from: a record on the points topic, by partition and offset.

    ``index`` numbers what that record became for one home partition, from 0, without a gap.
    """

    partition: Partition
    offset: LogOffset
    index: ForwardIndex

    def was_had(self, watermark: "Origin | None") -> bool:
        """Whether this origin is at or before ``watermark``, the last one of its partition."""
        return watermark is not None and self <= watermark


class PointsRecord(_Record, frozen=True, tag="points", kw_only=True, omit_defaults=True):
    """Operations, in order, for one shard of the collection ``uid``. ``origin``: None unless it was forwarded."""

    uid: Uid
    shard: ShardNumber
    ops: list[Operation]
    origin: Origin | None = None


class ShardOpened(_Record, frozen=True, tag="shard_opened", kw_only=True):
    """A marker: from here on the shard is at home in this partition. ``shard_map``: every shard's partition."""

    seq: MarkerSeq
    uid: Uid
    shard: ShardNumber
    name: str
    config: CollectionConfig
    shard_map: list[Partition]


class ShardChanged(_Record, frozen=True, tag="shard_changed", kw_only=True, omit_defaults=True):
    """A marker: the collection's configuration is now ``config``, and its name ``name`` unless that is None."""

    seq: MarkerSeq
    uid: Uid
    shard: ShardNumber
    config: CollectionConfig
    name: str | None = None


class ShardClosed(_Record, frozen=True, tag="shard_closed", kw_only=True):
    """A marker: the shard is gone, with all its points."""

    seq: MarkerSeq
    uid: Uid
    shard: ShardNumber


Marker = ShardOpened | ShardChanged | ShardClosed
PartitionRecord = PointsRecord | Marker


class CreateCollection(_Record, frozen=True, tag="create_collection", kw_only=True, omit_defaults=True):
    """Catalog: a new collection. ``uid`` is drawn by the writer; ``partitions`` is the points topic's size it saw.

    ``max_collections``: it is not created where there are so many, None: however many there are.
    """

    uid: Uid
    name: str
    config: CollectionConfig
    partitions: PartitionCount
    max_collections: Annotated[int, msgspec.Meta(ge=1, le=1 << 32)] | None = None


class UpdateCollection(_Record, frozen=True, tag="update_collection", kw_only=True):
    """Catalog: change a collection's parameters."""

    name: str
    patch: CollectionPatch


class CreateVectorName(_Record, frozen=True, tag="create_vector_name", kw_only=True, omit_defaults=True):
    """Catalog: add a vector name to a collection: one of ``dense`` and ``sparse``."""

    name: str
    vector: str
    dense: VectorParams | None = None
    sparse: SparseVectorParams | None = None


class DeleteVectorName(_Record, frozen=True, tag="delete_vector_name", kw_only=True):
    """Catalog: delete a vector name, and with it all vectors that points have of it."""

    name: str
    vector: str


class DeleteCollection(_Record, frozen=True, tag="delete_collection", kw_only=True):
    """Catalog: drop a collection and the aliases that name it."""

    name: str


class CreateShardKey(_Record, frozen=True, tag="create_shard_key", kw_only=True):
    """Catalog: give a collection of custom sharding a key with ``shards`` shards of its own.

    ``uid`` is drawn by the writer as for a collection; ``name`` may be that of a staged one.
    """

    uid: Uid
    name: str
    key: ShardKey
    shards: Annotated[int, msgspec.Meta(ge=1)]
    partitions: PartitionCount


class DeleteShardKey(_Record, frozen=True, tag="delete_shard_key", kw_only=True):
    """Catalog: drop a shard key, with all its points."""

    name: str
    key: ShardKey


class StageCollection(_Record, frozen=True, tag="stage_collection", kw_only=True):
    """Catalog: a new collection that nobody sees until it takes the name ``name``. What was staged for it is gone."""

    uid: Uid
    name: str
    config: CollectionConfig
    partitions: PartitionCount


class PublishCollection(_Record, frozen=True, tag="publish_collection", kw_only=True):
    """Catalog: the collection ``uid``, staged for ``name``, takes that name; the one that has it is staged instead."""

    uid: Uid
    name: str


class DiscardCollection(_Record, frozen=True, tag="discard_collection", kw_only=True):
    """Catalog: drop the collection ``uid`` that is staged for ``name``."""

    uid: Uid
    name: str


class CreateAlias(msgspec.Struct, frozen=True, tag_field="action", tag="create"):
    """Let ``alias`` name ``collection``; an alias that exists is pointed anew."""

    alias: str
    collection: str


class DeleteAlias(msgspec.Struct, frozen=True, tag_field="action", tag="delete"):
    """Remove ``alias``."""

    alias: str


class RenameAlias(msgspec.Struct, frozen=True, tag_field="action", tag="rename"):
    """Give the alias ``old`` the name ``new``."""

    old: str
    new: str


AliasAction = CreateAlias | DeleteAlias | RenameAlias


class ChangeAliases(_Record, frozen=True, tag="change_aliases", kw_only=True):
    """Catalog: alias actions, all of them or none."""

    actions: list[AliasAction]


CatalogRecord = (
    CreateCollection
    | UpdateCollection
    | CreateVectorName
    | DeleteVectorName
    | DeleteCollection
    | StageCollection
    | PublishCollection
    | DiscardCollection
    | CreateShardKey
    | DeleteShardKey
    | ChangeAliases
)


class _PointsRecordV1(_Record, frozen=True, tag="points", kw_only=True):
    uid: Uid
    shard: ShardNumber
    ops: list[OperationV1]
    origin: Origin | None = None


def _upgraded(record: _PointsRecordV1 | Marker) -> PartitionRecord:
    """A record of version 1 as one of this version."""
    if isinstance(record, _PointsRecordV1):
        ops = [upgrade(op) for op in record.ops]
        return PointsRecord(uid=record.uid, shard=record.shard, ops=ops, origin=record.origin)
    return msgspec.structs.replace(record, v=RECORD_VERSION)


_encoder = msgspec.msgpack.Encoder()
_partition_decoder = msgspec.msgpack.Decoder(PartitionRecord)
_partition_decoder_v1 = msgspec.msgpack.Decoder(_PointsRecordV1 | Marker)
_catalog_decoder = msgspec.msgpack.Decoder(CatalogRecord)


_BEGIN = b"\xa4type\xa6points\xa1v" + _encoder.encode(RECORD_VERSION)
"""How a record of points goes on after its first byte: the version of one that does need not be looked for."""


class _Versioned(msgspec.Struct):
    v: Any = None


_version_decoder = msgspec.msgpack.Decoder(_Versioned)


def encode_record(record: PartitionRecord | CatalogRecord) -> bytes:
    """The canonical bytes of a record."""
    return _encoder.encode(record)


def _check_version(value: bytes) -> int:
    version = _version_decoder.decode(value).v
    if type(version) is not int or version < 1:
        raise BadInputError(f"record version {version!r} is not a positive integer")
    if version > RECORD_VERSION:
        raise NewerRecordError(
            f"record version {version} is newer than version {RECORD_VERSION}, the newest this release reads"
        )
    return version


def _decode_current(value: bytes) -> PartitionRecord | None:
    """A record of points that begins as it is encoded here; None of others, and where anything is odd or wrong."""
    if not value.startswith(_BEGIN, 1):
        return None
    try:
        record = _partition_decoder.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return record if record.v == RECORD_VERSION else None


def decode_partition_record(value: bytes) -> PartitionRecord:
    """Read a record of the points topic.

    Raises NewerRecordError for a later version, BadInputError for anything that is not a record or has no version.
    The operations' contents are checked by ``schemas.validation``.
    """
    try:
        if (record := _decode_current(value)) is not None:
            return record
        if _check_version(value) == 1:
            return _upgraded(_partition_decoder_v1.decode(value))
        return _partition_decoder.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadInputError(f"not a record: {error}") from error


def decode_catalog_record(value: bytes) -> CatalogRecord:
    """Read a record of the catalog topic. Raises as ``decode_partition_record``."""
    try:
        version = _check_version(value)
        record = _catalog_decoder.decode(value)
        return msgspec.structs.replace(record, v=RECORD_VERSION) if version == 1 else record
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadInputError(f"not a record: {error}") from error

"""Records: canonical bytes, versions, and what is refused."""

from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.errors import BadInputError
from schemas.operations import DeletePoints, SetPayload, Upsert
from schemas.records import (
    RECORD_VERSION,
    CatalogRecord,
    CreateCollection,
    DeleteCollection,
    NewerRecordError,
    PartitionRecord,
    PointsRecord,
    ShardClosed,
    decode_catalog_record,
    decode_partition_record,
    encode_record,
)
from schemas.vectors.dense import DenseColumn
from tests.schemas.record_strategies import catalog_records, partition_records, plain_partition_records

pack = msgspec.msgpack.encode


@given(partition_records)
def test_partition_records_read_back(record: PartitionRecord) -> None:
    data = encode_record(record)
    assert decode_partition_record(data) == record
    assert encode_record(decode_partition_record(data)) == data
    assert msgspec.msgpack.decode(data)["v"] == RECORD_VERSION


@given(catalog_records)
def test_catalog_records_read_back(record: CatalogRecord) -> None:
    data = encode_record(record)
    assert decode_catalog_record(data) == record
    assert encode_record(decode_catalog_record(data)) == data
    assert msgspec.msgpack.decode(data)["v"] == RECORD_VERSION


def test_byte_for_byte() -> None:
    record = PointsRecord(uid=7, shard=0, ops=[DeletePoints(ids=[1, bytes(16)])])
    assert msgspec.msgpack.decode(encode_record(record)) == {
        "type": "points",
        "v": 2,
        "uid": 7,
        "shard": 0,
        "ops": [{"op": "delete", "ids": [1, bytes(16)]}],
    }
    assert encode_record(ShardClosed(seq=2, uid=7, shard=1)) == (
        b"\x85\xa4type\xacshard_closed\xa1v\x02\xa3seq\x02\xa3uid\x07\xa5shard\x01"
    )
    assert encode_record(DeleteCollection(name="c")) == b"\x83\xa4type\xb1delete_collection\xa1v\x02\xa4name\xa1c"


def test_what_is_left_out_reads_back_as_the_default() -> None:
    upsert = Upsert(ids=[1], vectors={"": DenseColumn(1, bytes(4))})
    assert msgspec.msgpack.decode(pack(upsert)) == {
        "op": "upsert",
        "ids": [1],
        "vectors": {"": {"kind": "dense", "dim": 1, "data": bytes(4)}},
    }
    assert msgspec.msgpack.decode(pack(SetPayload(payload=b"{}"))) == {"op": "set_payload", "payload": b"{}"}


def test_fields_it_does_not_know_are_ignored() -> None:
    value = {"type": "shard_closed", "v": 1, "seq": 1, "uid": 2, "shard": 3, "since": "a later release"}
    assert decode_partition_record(pack(value)) == ShardClosed(seq=1, uid=2, shard=3)


@pytest.mark.parametrize("rest", [b"\xa3uid\x07\xa5shard\x00\xa3ops\x90", b"\xa3uid\xc0\xa5shard\x00\xa3ops\x90"])
def test_the_last_version_that_a_record_gives_counts(rest: bytes) -> None:
    begin = b"\xa4type\xa6points\xa1v\x02"
    later = b"\xa1v" + pack(RECORD_VERSION + 1)
    with pytest.raises(NewerRecordError):
        decode_partition_record(b"\x86" + begin + rest + later)
    with pytest.raises(BadInputError, match="positive"):
        decode_partition_record(b"\x86" + begin + rest + b"\xa1v\xc0")


@pytest.mark.parametrize("decode", [decode_partition_record, decode_catalog_record])
@pytest.mark.parametrize("version", [RECORD_VERSION + 1, 2**63])
def test_a_later_version_is_told_apart_whatever_else_it_holds(decode: Any, version: int) -> None:
    with pytest.raises(NewerRecordError, match=f"record version {version} is newer than version {RECORD_VERSION}"):
        decode(pack({"type": "of a later release", "v": version, "ops": 5}))


@pytest.mark.parametrize("version", [None, 0, -1, "1", 1.0, True])
def test_a_version_is_a_positive_integer(version: object) -> None:
    with pytest.raises(BadInputError, match="is not a positive integer") as error:
        decode_partition_record(pack({"type": "shard_closed", "v": version, "seq": 1, "uid": 2, "shard": 3}))
    assert not isinstance(error.value, NewerRecordError)


NO_RECORDS: list[Any] = [
    {"type": "shard_closed", "seq": 1, "uid": 2, "shard": 3},
    {"v": 1},
    {"v": 1, "type": "create_collection"},
    {"v": 1, "type": "points", "uid": 1, "shard": 0},
    {"v": 1, "type": "points", "uid": 1, "shard": 0, "ops": [{"op": "unknown"}]},
    {"v": 1, "type": "points", "uid": 1, "shard": 0, "ops": [{"op": "delete", "ids": ["1"]}]},
    {"v": 1, "type": "points", "uid": 1, "shard": 0, "ops": [{"op": "delete", "ids": [1.0]}]},
    {"v": 1, "type": "points", "uid": 1, "shard": 0, "ops": [{"op": "delete", "filter": []}]},
    {"v": 1, "type": "points", "uid": "1", "shard": 0, "ops": []},
    [1, 2],
    None,
    5,
]


@pytest.mark.parametrize("value", NO_RECORDS)
def test_refuses_what_is_no_record(value: object) -> None:
    with pytest.raises(BadInputError):
        decode_partition_record(pack(value))


def test_refuses_a_record_of_the_other_topic() -> None:
    config = CollectionConfig(vectors={"": VectorParams(size=4, distance=Distance.DOT)})
    with pytest.raises(BadInputError):
        decode_partition_record(encode_record(CreateCollection(uid=1, name="c", config=config, partitions=1)))
    with pytest.raises(BadInputError):
        decode_catalog_record(encode_record(ShardClosed(seq=1, uid=2, shard=3)))


def test_refuses_deep_nesting() -> None:
    for opening in (b"\x91", b"\x81\xa1a"):
        with pytest.raises(BadInputError):
            decode_partition_record(b"\x82\xa1v\x01\xa1x" + opening * 100_000 + b"\x01")


@given(st.binary(max_size=40))
def test_refuses_noise(data: bytes) -> None:
    for decode in (decode_partition_record, decode_catalog_record):
        with pytest.raises(BadInputError):
            decode(data)


@given(partition_records, st.data())
def test_a_cut_record_is_refused(record: PartitionRecord, data: st.DataObject) -> None:
    whole = encode_record(record)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(BadInputError):
        decode_partition_record(whole[:cut])
    with pytest.raises(BadInputError):
        decode_partition_record(whole + b"\x00")


def _version_1(value: Any) -> Any:
    """What a release of version 1 would have written of a record whose vectors are all dense float32."""
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        kept = {key: _version_1(item) for key, item in entries.items()}
        if kept.get("kind") == "dense" and "dim" in kept:
            del kept["kind"]
        return kept
    return [_version_1(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


@given(plain_partition_records)
def test_version_1_is_read_as_what_it_said(record: PartitionRecord) -> None:
    written = {**_version_1(msgspec.msgpack.decode(encode_record(record))), "v": 1}
    assert decode_partition_record(pack(written)) == record


@given(catalog_records)
def test_the_catalog_s_version_1_is_read_as_what_it_said(record: CatalogRecord) -> None:
    assert decode_catalog_record(pack({**msgspec.msgpack.decode(encode_record(record)), "v": 1})) == record

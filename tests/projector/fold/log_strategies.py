"""Hypothesis strategies: logs with everything that may stand on a points partition."""

import msgspec
import numpy as np
from hypothesis import strategies as st

from ingest.log import LogRecord
from schemas.config import UNNAMED, CollectionConfig, Distance, VectorParams
from schemas.operations import UpdateMode, Upsert
from schemas.records import Origin, PartitionRecord, PointsRecord, ShardOpened, encode_record
from schemas.vectors.dense import DenseColumn
from tests.ingest.foreign import strategies as foreign
from tests.ingest.foreign.samples import PLAIN, message
from tests.projector.fold import strategies
from tests.projector.fold.memory_state import OPENED

PLAIN_UID, PLAIN_NAME = 9, "plain"
LONGER = CollectionConfig({UNNAMED: VectorParams(3, Distance.DOT)})
_origins = st.builds(Origin, st.integers(0, 1), st.integers(0, 3), st.integers(0, 1))
_vectors = st.sampled_from([[1, 2], [1, 2], [0.5, -0.25], [1, 2, 3], [1], [1, 1e39], ["1", 2], {"": [3, 4]}, {}])


@st.composite
def _canonical(draw: st.DrawFn) -> LogRecord:
    record: PartitionRecord = draw(strategies.records)
    if isinstance(record, PointsRecord) and draw(st.booleans()):
        record = msgspec.structs.replace(record, origin=draw(_origins))
    return message(encode_record(record))


def plain_opened(seq: int, shard: int, config: CollectionConfig = PLAIN) -> ShardOpened:
    """A marker for a shard of two of a collection with the unnamed vector only."""
    return ShardOpened(seq=seq, uid=PLAIN_UID, shard=shard, name=PLAIN_NAME, config=config, shard_map=[0, 0])


@st.composite
def _single(draw: st.DrawFn) -> LogRecord:
    """A point as most producers send it, for the collection that has the unnamed vector only."""
    point = {"collection_name": PLAIN_NAME, "id": draw(foreign.ids), "vector": draw(_vectors)}
    point.update(draw(st.fixed_dictionaries({}, optional={"payload": st.sampled_from([{}, None, {"a": 1}, [], 7])})))
    return message(msgspec.json.encode(point))


@st.composite
def _single_canonical(draw: st.DrawFn) -> LogRecord:
    """One point as the REST routes and the router write it, for that collection."""
    values = draw(st.sampled_from([[1, 2], [3, 4], [0.5, 1], [1], [1, 2, 3], [1, float("nan")], [1, float("inf")]]))
    column = DenseColumn(len(values), np.array(values, "<f4").tobytes(), draw(st.sampled_from([None, None, [0]])))
    payloads = draw(st.sampled_from([None, [b""], [b'{"a":1}'], [b"{}"], [b"null"], [b"7"], [b"", b""]]))
    mode = draw(st.sampled_from([UpdateMode.UPSERT, UpdateMode.UPSERT, UpdateMode.INSERT_ONLY]))
    point_id = draw(st.sampled_from([0, 1, 2, 3, 2**64 - 1, bytes(16), b"short"]))
    name = draw(st.sampled_from([UNNAMED, UNNAMED, UNNAMED, "image"]))
    operation = Upsert([point_id], {name: column}, payloads, update_mode=mode)
    shard = draw(st.integers(0, 1))
    origin = draw(st.none() | _origins)
    return message(encode_record(PointsRecord(uid=PLAIN_UID, shard=shard, ops=[operation], origin=origin)))


_openings = st.builds(plain_opened, st.integers(1, 60), st.integers(0, 1), st.sampled_from([PLAIN, LONGER]))
_unreadable = st.sampled_from([b"", b"{", b"{}", b"\x81\xa1v\x01", b'{"collection_name":"plain","id":1}'])
_messages = st.one_of(
    _canonical(),
    _single(),
    _single(),
    _single(),
    _single_canonical(),
    _single_canonical(),
    foreign.messages(st.sampled_from(["c7", "things", PLAIN_NAME, "others"])),
    _openings.map(lambda record: message(encode_record(record))),
    (_unreadable | st.binary(max_size=40) | st.binary(max_size=40).map(b"{".__add__)).map(message),
)
_FIRST = [message(encode_record(record)) for record in (OPENED, plain_opened(2, 0), plain_opened(3, 1))]


def _at_offsets(messages: list[LogRecord], gap: int) -> list[LogRecord]:
    return [
        LogRecord(0, offset * gap, 0, record.key, record.value, record.headers)
        for offset, record in enumerate(messages)
    ]


@st.composite
def _logs(draw: st.DrawFn) -> list[LogRecord]:
    rest = draw(st.lists(_messages, max_size=25))
    return _at_offsets([*_FIRST[: draw(st.integers(2, 3))], *rest], draw(st.sampled_from([1, 1, 3])))


logs = _logs()
"""Records of a partition, in order; the offsets may have gaps."""

"""Reading single points together makes no difference to what they become."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import forwarding
from ingest.foreign import Destination
from ingest.forwarding import Entries, Forwarded, Outgoing, forwarded
from ingest.log import LogRecord
from ingest.ports import CollectionEntry
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.operations import Outcome
from schemas.records import PointsRecord, decode_partition_record

SHARD_MAP = (0, 1, 1)
PARAMS = VectorParams(2, Distance.DOT)
ENTRIES: Entries = {
    1: CollectionEntry(1, "plain", CollectionConfig({"": PARAMS}), SHARD_MAP),
    2: CollectionEntry(2, "named", CollectionConfig({"x": PARAMS}), SHARD_MAP),
    3: CollectionEntry(3, "both", CollectionConfig({"": PARAMS, "x": PARAMS}), SHARD_MAP),
}
IDS = ("1", "18446744073709551615", "18446744073709551616", "-1", "1.5", "null", '"x"', f'"{"0" * 31}7"')
VECTORS = ("[1, 2]", "[1.5,-2e3]", "[1]", "[1,2,3]", "[1,1e39]", '{"x":[1,2]}', '{"x":[1]}', "null", "[[1,2]]", '"x"')
PAYLOADS = ("", ',"payload":null', ',"payload":{}', ',"payload":{"a":1}', ',"payload":{ }', ',"payload":[]')


@st.composite
def outgoing_records(draw: st.DrawFn) -> list[Outgoing]:
    found: list[Outgoing] = []
    for offset in range(draw(st.integers(1, 12))):
        uid = draw(st.sampled_from((1, 1, 1, 2, 3, 4)))
        point, vector, payload = (draw(st.sampled_from(some)) for some in (IDS, VECTORS, PAYLOADS))
        value = f'{{"collection_name":"c","id":{point},"vector":{vector}{payload}}}'
        if draw(st.integers(0, 5)) == 0:
            value = f'{{"collection_name":"c","points":[{{"id":{point},"vector":{vector}{payload}}}]}}'
        shards = draw(st.sets(st.integers(0, 2), min_size=1))
        found.append(Outgoing(LogRecord(0, offset, 0, None, value.encode(), ()), Destination("c", uid, sorted(shards))))
    return found


def one_by_one(raw: Sequence[msgspec.Raw], size: int) -> list[bytes | None]:
    """Stands for reading vectors together, and says of each that it is nothing plain."""
    return [None] * len(raw)


def shown(found: Sequence[list[Forwarded] | Outcome]) -> list[object]:
    return [
        (what.status, what.reason)
        if isinstance(what, Outcome)
        else [(home, decode_partition_record(value)) for home, value in what]
        for what in found
    ]


@given(some=outgoing_records())
def test_together_or_one_by_one(some: list[Outgoing]) -> None:
    together = forwarded(some, ENTRIES, 1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forwarding, "each_vector_of", one_by_one)
        assert shown(forwarded(some, ENTRIES, 1000)) == shown(together)
    assert shown([forwarded([each], ENTRIES, 1000)[0] for each in some]) == shown(together)


def test_a_plain_point() -> None:
    value = b'{"collection_name":"c","id":5,"vector":[1,2],"payload":{"a":1}}'
    (found,) = forwarded([Outgoing(LogRecord(0, 9, 0, None, value, ()), Destination("c", 1, [0, 1, 2]))], ENTRIES, 1000)
    assert isinstance(found, list)
    (record,) = [decode_partition_record(value) for _, value in found]
    assert isinstance(record, PointsRecord)
    assert record.ops[0].ids == [5]

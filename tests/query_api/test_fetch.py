"""Fetching is bounded in bytes, and large payloads are not fetched on the event loop."""

from math import inf

import pytest

from ingest.deadline import Deadline
from projector.view.shard_view import ShardView
from query_api.budget import INLINE_US, Allowance
from query_api.fetch.fetch import BYTE_US, POINT_US, fetch, fetch_us, payload_bytes
from query_api.find.scroll import find_in_id_order
from query_api.hits import Hit
from query_api.plan.leaves import Scroll
from query_api.plan.selection import NOTHING, PayloadInclude, Selection
from schemas.config import CollectionConfig
from schemas.ids import PointId
from schemas.json_path import Path
from tests.query_api.shard_model import ShardModel

WHOLE = Selection(with_payload=True)
SIZE = 100_000
POINTS = 20
FRAME = len(b'{"t":""}')


def found(*, sealed: bool) -> tuple[ShardView, list[Hit]]:
    shard = ShardModel(CollectionConfig(vectors={}))
    for i in range(POINTS):
        shard.upsert(PointId(i), {}, {"t": "x" * (SIZE - FRAME)})
    shard.publish()
    if sealed:
        shard.seal(merge=False, graph=False)
    view = shard.views[0]
    return view, find_in_id_order(view, Scroll(limit=POINTS), Allowance(inf, Deadline(inf)))


@pytest.mark.parametrize("sealed", [True, False])
def test_no_more_is_read_than_may_be_answered(sealed: bool) -> None:
    view, hits = found(sealed=sealed)
    assert len(fetch(view, hits, WHOLE, 3 * SIZE)[0]) == 4
    assert len(fetch(view, hits, WHOLE, POINTS * SIZE)[0]) == POINTS
    assert len(fetch(view, hits, NOTHING, 0)[0]) == POINTS


@pytest.mark.parametrize("sealed", [True, False])
def test_bytes_are_part_of_the_estimate(sealed: bool) -> None:
    view, hits = found(sealed=sealed)
    read = payload_bytes(view, hits)
    assert POINTS * SIZE <= read <= POINTS * (SIZE + 100)
    parts = Selection(with_payload=PayloadInclude((Path(("t",)),)))
    assert fetch_us(view, hits, NOTHING) == POINTS * POINT_US
    assert fetch_us(view, hits, WHOLE) == POINTS * POINT_US + read * BYTE_US
    assert fetch_us(view, hits, parts) > INLINE_US
    # So many points are beyond it as they are: nothing goes through them to say so.
    assert fetch_us(view, hits * 1000, WHOLE) == POINTS * 1000 * POINT_US > INLINE_US

"""What a message takes once read is told from its bytes, as its own parts say, and too much of it is refused."""

from typing import Any

import numpy as np
import pytest

from compose.grpc.messages import load, message_named
from compose.grpc.parsed_size import ParsedSizes
from schemas.errors import TooLargeError

load()
KINDS = {
    name: message_named(f"qdrant.{name}") for name in ("UpsertPoints", "QueryPoints", "QueryBatchPoints", "Filter")
}
LIMIT = 1 << 20
SIZES = ParsedSizes(KINDS.values(), LIMIT)

SMALL = {
    "points": ("UpsertPoints", b"\x1a\x00"),
    "points of unknown fields": ("UpsertPoints", b"\x1a\x03\xf8\x3f\x00"),
    "queries": ("QueryBatchPoints", b"\x12\x00"),
    "prefetches": ("QueryPoints", b"\x12\x00"),
    "conditions": ("Filter", b"\x0a\x00"),
    "filters": ("Filter", b"\x0a\x02\x22\x00"),
    "ids": ("Filter", b"\x0a\x06\x1a\x04\x0a\x02\x08\x01"),
    "keywords": ("Filter", b"\x0a\x08\x0a\x06\x12\x04\x2a\x02\x0a\x00"),
}


@pytest.mark.parametrize(("kind", "part"), SMALL.values(), ids=SMALL)
def test_many_small_parts_are_refused(kind: str, part: bytes) -> None:
    request = KINDS[kind]
    few = part * 100
    request.FromString(few)
    assert 10 * len(few) < SIZES.size(request, few) <= LIMIT
    with pytest.raises(TooLargeError, match="so many small parts"):
        SIZES.size(request, part * (LIMIT // 10 // len(part)))


def test_a_group_hides_nothing_that_comes_after_it() -> None:
    request = KINDS["UpsertPoints"]
    hiding, points = b"\xc3\x3e\x1a\x01\xff\xc4\x3e", b"\x1a\x00" * 100
    read: Any = request.FromString(hiding + points)
    assert len(read.points) == 100
    assert SIZES.size(request, hiding + points) > SIZES.size(request, points)


def test_what_clients_send_is_not() -> None:
    request: Any = message_named("qdrant.UpsertPoints")(collection_name="c")
    for number in range(200):
        point = request.points.add()
        point.id.num = number
        point.vectors.vector.dense.data.extend(np.zeros(128, np.float32).tolist())
        for key in range(8):
            point.payload[f"key {key}"].integer_value = number
    data = request.SerializeToString()
    # As much as this to the largest message.
    assert SIZES.size(KINDS["UpsertPoints"], data) < 4 * len(data)

"""What was fetched becomes messages, encoded one by one and put together: as protobuf's own reading has it."""

from typing import Any, cast

import numpy as np
import pytest

from compose.grpc.messages import load, message_class, message_named, service
from compose.grpc.rendering import MessageRendering
from compose.grpc.routes import ROUTES
from compose.grpc.values import read_payload
from query_api.budget import INLINE_US
from query_api.hits import Hit
from query_api.points import FetchedPoint
from query_api.rendering import AS_JSON
from schemas.errors import UnprocessableError
from schemas.ids import parse_point_id
from schemas.rest.responses import GroupsResult, PointGroup, QueryResult, ScrollResult
from schemas.vectors.sparse import PAIR

load()
UUID = "f9168c5e-ceb2-4faa-b6bf-329bf39fa1e4"


def test_points_are_rendered_as_they_were_fetched() -> None:
    vectors: dict[str, Any] = {
        "a": np.array([1.5, -2.25, 3.0], np.float32),
        "half": np.array([0.5, 0.25], np.float16),
        "bytes": np.array([3, 255], np.uint8),
        "m": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32),
        "s": np.array([(3, 0.5), (9, 1.5)], PAIR),
    }
    rendering = MessageRendering(1 << 20)
    fetched = [
        FetchedPoint(parse_point_id(7), 3, b'{"n":[1,2.5,null,{"a":"b"}]}', vectors),
        FetchedPoint(parse_point_id(UUID), 4, b"", {"": np.array([1.0], np.float32)}),
        FetchedPoint(parse_point_id(8), 5, None, None),
    ]
    hits = [Hit(0.0, point.id, 0.5, value=value) for point, value in zip(fetched, (1, 2.5, None), strict=True)]
    scored = message_named("qdrant.ScoredPoint")
    first, second, third = (cast(Any, scored.FromString(point)) for point in rendering.scored(hits, fetched))
    assert (first.id.num, first.version, first.score, first.order_value.int) == (7, 3, 0.5, 1)
    assert read_payload(first.payload) == {"n": [1, 2.5, None, {"a": "b"}]}
    named = first.vectors.vectors.vectors
    assert list(named["a"].dense.data) == [1.5, -2.25, 3.0]
    assert list(named["half"].dense.data) == [0.5, 0.25]
    assert list(named["bytes"].dense.data) == [3.0, 255.0]
    assert [list(row.data) for row in named["m"].multi_dense.vectors] == [[1.0, 2.0], [3.0, 4.0]]
    assert (list(named["s"].sparse.indices), list(named["s"].sparse.values)) == ([3, 9], [0.5, 1.5])
    assert (second.id.uuid, list(second.vectors.vector.dense.data), second.order_value.float) == (UUID, [1.0], 2.5)
    assert not third.HasField("vectors")
    assert not third.payload
    assert not third.HasField("order_value")
    retrieved = message_named("qdrant.RetrievedPoint")
    assert [cast(Any, retrieved.FromString(point)).id.num for point in rendering.points(fetched[::2])] == [7, 8]


def told(method: str, result: Any) -> Any:
    """The response of a method of points, with a time, as it is read when its parts are joined."""
    route = ROUTES["qdrant.Points"][method]
    output: Any = next(one for one in service("qdrant.Points").methods if one.name == method).output_type
    response: Any = message_class(output)()
    parts = route.answer(result, response)
    response.time = 0.5
    assert parts is not None
    read = response.FromString(b"".join([*parts, response.SerializeToString()]))
    assert read.time == 0.5
    return read


def test_encoded_points_are_put_together() -> None:
    rendering = MessageRendering(1 << 20)
    payload = b'{"t":"%b"}' % (b"x" * 300)
    fetched = [FetchedPoint(parse_point_id(n), n, payload, None) for n in range(5)]
    scored = rendering.scored([Hit(0.0, point.id, 0.5) for point in fetched], fetched)
    page = told("Scroll", ScrollResult(rendering.points(fetched), 5))
    assert [point.id.num for point in page.result] == [0, 1, 2, 3, 4]
    assert page.next_page_offset.num == 5
    assert not told("Scroll", ScrollResult([], None)).HasField("next_page_offset")
    assert [point.version for point in told("Query", QueryResult(scored)).result] == [0, 1, 2, 3, 4]
    assert [point.version for point in told("Search", scored[:2]).result] == [0, 1]
    batch = told("QueryBatch", [QueryResult(scored), QueryResult([]), QueryResult(scored[3:])])
    assert [[point.version for point in one.result] for one in batch.result] == [[0, 1, 2, 3, 4], [], [3, 4]]
    some = [PointGroup(scored[:2], "a", rendering.points(fetched[:1])[0]), PointGroup(scored[2:], 7)]
    groups = told("QueryGroups", GroupsResult(some)).result.groups
    assert [[point.version for point in group.hits] for group in groups] == [[0, 1], [2, 3, 4]]
    assert (groups[0].id.string_value, groups[0].lookup.payload["t"].string_value) == ("a", "x" * 300)
    assert (groups[1].id.unsigned_value, groups[1].HasField("lookup")) == (7, False)
    assert told("QueryGroups", GroupsResult([])).HasField("result")


def test_an_answer_that_would_take_too_much_is_refused() -> None:
    values = b'{"n":[' + b",".join([b"0"] * 1000) + b"]}"
    with pytest.raises(UnprocessableError, match="ask for fewer points"):
        MessageRendering(10_000).points([FetchedPoint(parse_point_id(1), 1, values, None)])


def test_what_takes_long_as_messages_is_estimated_so() -> None:
    short = FetchedPoint(parse_point_id(1), 1, b'{"n":1}', {"": np.zeros(100, np.float32)})
    values = FetchedPoint(parse_point_id(1), 1, b'{"n":[' + b",".join([b"0"] * 2000) + b"]}", None)
    rendering = MessageRendering(1 << 20)
    assert rendering.us([short] * 10) < INLINE_US
    assert rendering.us([short] * 1000) > INLINE_US
    # As JSON it would be spliced in as it is.
    assert rendering.us([values]) > INLINE_US > 100 * AS_JSON.us([values])

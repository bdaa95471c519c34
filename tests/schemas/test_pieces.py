"""Answers in pieces: the same JSON, and no piece much longer than it should be."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from schemas.rest import pieces
from schemas.rest.envelope import Envelope
from schemas.rest.facet import FacetHit, FacetResult
from schemas.rest.matrix import MatrixOffsets, MatrixPair, MatrixPairs
from schemas.rest.responses import (
    GroupsResult,
    PointGroup,
    PointResult,
    QueryResult,
    ScoredPointResult,
    ScrollResult,
)


def retrieved(count: int, size: int = 20) -> list[PointResult]:
    payload = msgspec.Raw(b'{"text":"%b"}' % (b"x" * size))
    return [
        PointResult(i, UNSET if i % 3 == 0 else payload, UNSET if i % 2 else msgspec.Raw(b"[1]")) for i in range(count)
    ]


def scored(count: int) -> list[ScoredPointResult]:
    return [ScoredPointResult(f"{i}", i, i / 3, order_value=i if i % 2 else UNSET) for i in range(count)]


def groups() -> GroupsResult:
    found = [PointGroup(scored(i), i) for i in range(4)]
    found[1].lookup = retrieved(1)[0]
    return GroupsResult(found)


RESULTS: list[Callable[[], Any]] = [
    list,
    lambda: retrieved(40),
    lambda: retrieved(1)[0],
    lambda: scored(40),
    lambda: ScrollResult(retrieved(40), 41),
    lambda: ScrollResult([], None),
    lambda: QueryResult(scored(40)),
    lambda: [QueryResult(scored(3)), QueryResult([]), QueryResult(scored(20))],
    lambda: [scored(3), [], scored(20)],
    lambda: groups(),
    lambda: GroupsResult([]),
    lambda: {"anything": ["else", 1, None, True]},
    lambda: None,
    lambda: FacetResult([FacetHit("a", 2), FacetHit(7, 1), FacetHit(True, 1)]),
    lambda: MatrixPairs([MatrixPair(1, "b", 0.5), MatrixPair("b", 1, 0.25)]),
    lambda: MatrixOffsets([0, 1], [1, 0], [0.5, 0.25], [1, "b"]),
]


@pytest.mark.parametrize("most", [1, 50, 1 << 20])
@pytest.mark.parametrize("explain", [UNSET, {"how": [1]}, [{"how": 1}]])
@pytest.mark.parametrize("result", RESULTS, ids=range(len(RESULTS)))
def test_they_are_what_one_call_gives(
    monkeypatch: pytest.MonkeyPatch, result: Callable[[], Any], explain: Any, most: int
) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", most)
    answer = Envelope(result(), "ok", 0.125, deepcopy(explain))
    whole = msgspec.json.encode(answer)
    assert b"".join(pieces.encode_pieces(answer)) == whole


def test_a_piece_is_bounded() -> None:
    answer = Envelope(ScrollResult(retrieved(2000, size=3000), None), "ok", 0.0)
    whole = msgspec.json.encode(answer)
    made = list(pieces.encode_pieces(answer))
    assert len(made) > 10
    assert all(pieces.PIECE_BYTES <= len(piece) < pieces.PIECE_BYTES + 4000 for piece in made[:-1])
    assert len(made[-1]) < pieces.PIECE_BYTES
    assert b"".join(made) == whole


def test_what_was_encoded_is_not_kept() -> None:
    points = retrieved(200, size=10_000)
    pieces_left = pieces.encode_pieces(Envelope(ScrollResult(points, None), "ok", 0.0))
    left = [len(points) for _ in pieces_left]
    assert left[0] < 200
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0


def test_a_piece_of_small_parts_is_bounded_by_their_number() -> None:
    numbers = list(range(20_000))
    answer = Envelope(MatrixOffsets(numbers[:], numbers[:], [1.0] * 20_000, []), "ok", 0.0)
    whole = msgspec.json.encode(answer)
    made = list(pieces.encode_pieces(answer))
    assert b"".join(made) == whole
    assert all(piece.count(b",") <= pieces.PIECE_PARTS for piece in made)

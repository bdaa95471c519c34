"""Vectors of every kind in segments: built from points, merged, and left alone where their name was deleted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from projector.segments.reader import Segment
from projector.segments.spill import write_spill
from projector.vectors.sparse import SparseVectors
from projector.view.part import row_of
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId
from schemas.points import encode_point
from schemas.vectors.names import add_name, delete_name
from schemas.vectors.params import Datatype, MultivectorConfig, SparseVectorParams
from schemas.vectors.sparse import PAIR
from tests.projector.segments.samples import build, spec
from tests.projector.vectors.lists import postings

DIM = 3
NAMES = ("half", "byte", "multi", "sparse")
CONFIG = CollectionConfig(
    vectors={
        "half": VectorParams(DIM, Distance.DOT, datatype=Datatype.FLOAT16),
        "byte": VectorParams(DIM, Distance.EUCLID, datatype=Datatype.UINT8),
        "multi": VectorParams(DIM, Distance.DOT, multivector_config=MultivectorConfig()),
    },
    sparse_vectors={"sparse": SparseVectorParams()},
)
Vectors = Mapping[str, NDArray[Any]]


def vectors_of(number: int) -> Vectors:
    """Vectors of its own for every number, some without one of the names; some sparse ones are empty."""
    rng = np.random.default_rng(number)
    pairs = np.empty(number % 4, PAIR)
    pairs["index"] = np.sort(rng.choice(6, len(pairs), replace=False))
    pairs["value"] = rng.standard_normal(len(pairs))
    every = {
        "half": rng.standard_normal(DIM).astype("<f2"),
        "byte": rng.integers(0, 256, DIM).astype(np.uint8),
        "multi": rng.standard_normal((1 + number % 3, DIM)).astype("<f4"),
        "sparse": pairs,
    }
    return {name: vector for at, (name, vector) in enumerate(every.items()) if number % 5 != at}


def built(folder: Path, numbers: list[int]) -> Segment:
    source = folder.with_suffix(".spill")
    at = CONFIG.positions
    with write_spill(source) as writer:
        stored = [[(at[name], vector.tobytes()) for name, vector in vectors_of(n).items()] for n in numbers]
        writer.add([PointId(n) for n in numbers], [encode_point(1, vectors, b"") for vectors in stored])
    return build(spec(folder, [str(source)], configuration=CONFIG))


def check(segment: Segment, numbers: list[int]) -> None:
    for slot, number in enumerate(sorted(numbers)):
        for name in NAMES:
            held, expected = segment.vectors(name), vectors_of(number).get(name)
            row = -1 if held is None else row_of(held, slot)
            assert (row >= 0) == (expected is not None)
            if held is not None and expected is not None:
                assert np.array_equal(held.value(row), expected)
    sparse = segment.vectors("sparse")
    assert isinstance(sparse, SparseVectors)
    for term in range(7):
        (block,) = sparse.blocks
        rows = [row for row, _ in postings(block.lists, term)]
        assert rows == [row for row in range(sparse.rows) if term in sparse.value(row)["index"]]


def test_what_was_put_comes_out_after_a_merge(tmp_path: Path) -> None:
    first, second = list(range(0, 60, 2)), list(range(1, 60, 3))
    one, other = built(tmp_path / "a", first), built(tmp_path / "b", [n for n in second if n % 2])
    check(one, first)
    merged = build(spec(tmp_path / "c", segments=[(one, [0, 5]), (other, [])], configuration=CONFIG))
    merged.check()
    check(merged, [n for n in first if n not in (0, 10)] + [n for n in second if n % 2])


def test_a_name_that_was_deleted_and_added_again_takes_nothing_over(tmp_path: Path) -> None:
    numbers = list(range(20))
    segment = built(tmp_path / "a", numbers)
    params = msgspec.structs.replace(CONFIG.vectors["half"])
    changed = add_name(delete_name(CONFIG, "half"), "half", params)
    assert changed.positions["half"] == 4
    merged = build(spec(tmp_path / "b", segments=[(segment, [])], configuration=changed))
    assert merged.vectors("half") is None
    assert merged.vector_names == ["byte", "multi", "sparse"]

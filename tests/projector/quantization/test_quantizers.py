"""Each kind of quantization: codes compare about as the vectors they stand for do, and within what is bounded."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.kernel import distances
from projector.quantization.kind import Shape
from projector.quantization.registry import opened, trained
from schemas.config import Distance
from schemas.quantization import Quantization, read_quantization
from schemas.vectors.normalise import normalise

DISTANCES = [Distance.COSINE, Distance.DOT, Distance.EUCLID]
SETTINGS: dict[str, dict[str, Any]] = {
    "scalar": {"scalar": {"type": "int8"}},
    "quantile": {"scalar": {"type": "int8", "quantile": 0.98}},
    "one bit": {"binary": {}},
    "binary query": {"binary": {"encoding": "one_bit", "query_encoding": "binary"}},
    "one and a half bits": {"binary": {"encoding": "one_and_half_bits", "query_encoding": "scalar4bits"}},
    "two bits": {"binary": {"encoding": "two_bits", "query_encoding": "scalar8bits"}},
    "turbo": {"turbo": {}},
    "turbo 1": {"turbo": {"bits": "bits1"}},
    "turbo 1.5": {"turbo": {"bits": "bits1_5"}},
    "turbo 2": {"turbo": {"bits": "bits2"}},
    **{f"product {by}": {"product": {"compression": by}} for by in ("x4", "x8", "x16", "x32", "x64")},
}
MOST_OFF = {
    "scalar": 0.04,
    "quantile": 0.2,
    "one bit": 0.85,
    "binary query": 0.95,
    "one and a half bits": 0.65,
    "two bits": 0.45,
    "turbo": 0.15,
    "turbo 1": 0.85,
    "turbo 1.5": 0.65,
    "turbo 2": 0.45,
    "product x4": 0.08,
    "product x8": 0.25,
    "product x16": 0.7,
    "product x32": 1.1,
    "product x64": 1.4,
}
"""How far distances between random vectors are off, as parts of how much they differ."""
DIM = 24


def quantization(settings: dict[str, Any]) -> Quantization:
    read = read_quantization(settings)
    assert read is not None
    return read


def true_distances(rows: NDArray[np.float32], query: NDArray[np.float32], distance: Distance) -> NDArray[np.float64]:
    wide = rows.astype(np.float64)
    return np.square(wide - query).sum(axis=1) if distance is Distance.EUCLID else 1 - wide @ query


def vectors(rows: int, dim: int, distance: Distance, seed: int, about: float = 0.0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    found = (rng.standard_normal((rows, dim)) + about).astype(np.float32)
    return normalise(found) if distance is Distance.COSINE else found


@pytest.mark.parametrize("distance", DISTANCES)
@given(dim=st.integers(1, 80), seed=st.integers(0, 999), about=st.sampled_from([0.0, 3.0, 1000.0]))
@settings(max_examples=30, deadline=None)
def test_how_far_scalar_quantization_can_be_off(distance: Distance, dim: int, seed: int, about: float) -> None:
    rows = vectors(60, dim, distance, seed, about)
    query = vectors(1, dim, distance, seed + 1, about)[0]
    quantizer = trained(quantization(SETTINGS["scalar"]), Shape(dim, distance), rows)
    found = distances(quantizer.encode(rows), quantizer.form, quantizer.prepare(query))
    wide, low, high = rows.astype(np.float64), float(rows.min()), float(rows.max())
    of_row = (high - low) / 255
    squared = distance is Distance.EUCLID
    from_middle = np.abs(query.astype(np.float64) - (low + 128 * of_row if squared else 0.0))
    of_query = float(from_middle.max()) / 254
    # Half a step of each factor, times the other.
    if squared:
        off = of_row * np.abs(wide - query).sum(axis=1) + dim * of_row**2
    else:
        off = np.full(len(rows), of_row / 2 * float(np.abs(query).sum()))
    off = off + (1 + squared) * of_query * dim * (high - low)
    rounding = 1e-5 * (1 + np.abs(wide).max() * np.abs(query).max() * dim)
    assert np.all(np.abs(found - true_distances(rows, query, distance)) <= off + rounding)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("settings", SETTINGS)
def test_what_was_kept_gives_the_same_codes(settings: str, distance: Distance) -> None:
    rows, shape = vectors(500, DIM, distance, 1), Shape(DIM, distance)
    asked = quantization(SETTINGS[settings])
    quantizer = trained(asked, shape, rows)
    again, read = trained(asked, shape, rows), opened(asked, shape, quantizer.kept())
    assert np.array_equal(quantizer.kept(), again.kept())
    assert (read.width, read.form, read.oversampling) == (quantizer.width, quantizer.form, quantizer.oversampling)
    for other in (again, read):
        assert np.array_equal(quantizer.encode(rows), other.encode(rows))
        assert np.array_equal(quantizer.prepare(rows[0]), other.prepare(rows[0]))
    assert quantizer.encode(rows).shape == (500, quantizer.width)
    with pytest.raises(ValueError, match="number"):
        opened(asked, shape, quantizer.kept()[1:])


@pytest.mark.parametrize("about", [0.0, 3.0])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("settings", SETTINGS)
def test_how_far_distances_are_off(settings: str, distance: Distance, about: float) -> None:
    rows = vectors(1000, 65, distance, 2, about)
    quantizer = trained(quantization(SETTINGS[settings]), Shape(65, distance), rows)
    codes = quantizer.encode(rows)
    off: list[float] = []
    for query in vectors(10, 65, distance, 3, about):
        true = true_distances(rows, query, distance)
        off.append(float(np.std(distances(codes, quantizer.form, quantizer.prepare(query)) - true) / np.std(true)))
    assert np.mean(off) <= MOST_OFF[settings]


@pytest.mark.parametrize("compression", ["x4", "x8", "x16", "x32", "x64"])
@pytest.mark.parametrize("dim", [1, 3, 17, 64])
def test_a_byte_stands_for_as_many_values_as_were_asked_for(compression: str, dim: int) -> None:
    rows = vectors(300, dim, Distance.EUCLID, 1)
    asked = quantization({"product": {"compression": compression}})
    quantizer = trained(asked, Shape(dim, Distance.EUCLID), rows)
    assert quantizer.width == -(-dim // (int(compression[1:]) // 4))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("settings", SETTINGS)
def test_equal_values_are_no_trouble(settings: str, distance: Distance) -> None:
    for value in (0.0, 2.5):
        rows = np.full((300, 9), value, np.float32)
        rows = normalise(rows) if distance is Distance.COSINE else rows
        quantizer = trained(quantization(SETTINGS[settings]), Shape(9, distance), rows)
        found = distances(quantizer.encode(rows), quantizer.form, quantizer.prepare(rows[0]))
        assert found == pytest.approx(true_distances(rows, rows[0], distance), rel=0.02, abs=0.02)

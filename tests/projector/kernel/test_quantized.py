"""Distances of codes: each form beside numpy, all instruction sets equal, and what doesn't fit refused."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from projector.kernel import KernelGraph, KernelPool, distances, levels, product_codes, product_table, rotated

Bytes = NDArray[np.uint8]
ROWS = 7


def heads(rng: np.random.Generator) -> NDArray[np.float32]:
    return rng.standard_normal((ROWS, 2)).astype(np.float32)


def joined(heads: NDArray[np.float32], codes: Bytes) -> Bytes:
    return np.concatenate([heads.view(np.uint8), codes], axis=1)


@given(dim=st.integers(1, 300), seed=st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_bytes(dim: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (ROWS, dim), np.uint8)
    weights = rng.integers(-127, 128, dim).astype(np.int8)
    if seed % 3 == 0:
        codes[:], weights[:] = 255, -127
    head = heads(rng)
    query = np.frombuffer(struct.pack("<fff4x", 0.5, -2.0, 0.25) + weights.tobytes(), np.uint8)
    sums = codes.astype(np.int64) @ weights.astype(np.int64)
    expected = 0.5 + head[:, 1] + head[:, 0] * (-2.0 + 0.25 * sums)
    found = [distances(joined(head, codes), "bytes", query, level=level) for level in levels()]
    assert found[0] == pytest.approx(expected, rel=1e-5, abs=1e-3)
    assert all(np.array_equal(found[0], other) for other in found)


@given(half=st.integers(1, 150), seed=st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_nibbles(half: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 16, (ROWS, 2 * half), np.uint8)
    weights = rng.integers(-127, 128, 2 * half).astype(np.int8)
    if seed % 3 == 0:
        codes[:], weights[:] = 15, -127
    head = heads(rng)
    rows = joined(head, (codes[:, :half] | codes[:, half:] << 4).astype(np.uint8))
    query = np.frombuffer(struct.pack("<fff4x", 0.5, -2.0, 0.25) + weights.tobytes(), np.uint8)
    sums = codes.astype(np.int64) @ weights.astype(np.int64)
    expected = 0.5 + head[:, 1] + head[:, 0] * (-2.0 + 0.25 * sums)
    found = [distances(rows, "nibbles", query, level=level) for level in levels()]
    assert found[0] == pytest.approx(expected, rel=1e-5, abs=1e-3)
    assert all(np.array_equal(found[0], other) for other in found)


@given(words=st.lists(st.integers(1, 6), min_size=1, max_size=3), planes=st.integers(1, 8), seed=st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_planes(words: list[int], planes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (ROWS, 64 * sum(words)), np.uint8)
    weights = rng.integers(0, 1 << planes, (bits.shape[1],), np.uint8).astype(np.int64)
    scales = rng.standard_normal((len(words), 2)).astype(np.float32)
    of_plane: Bytes = np.stack([weights >> plane & 1 for plane in range(planes)]).astype(np.uint8)
    packed = np.packbits(of_plane, axis=1, bitorder="little").reshape(planes, -1, 8).transpose(1, 0, 2)
    groups = b"".join(struct.pack("<Iff4x", n, *scale) for n, scale in zip(words, scales.tolist(), strict=True))
    query = np.frombuffer(struct.pack("<ffII", 0.5, -2.0, len(words), planes) + groups + packed.tobytes(), np.uint8)
    head = heads(rng)
    rows = joined(head, np.packbits(bits, axis=1, bitorder="little"))
    inner: NDArray[np.float64] = np.full(ROWS, -2.0)
    at = 0
    for count, (low, step) in zip(words, scales.astype(np.float64), strict=True):
        some = slice(64 * at, 64 * (at + count))
        chosen = bits[:, some].astype(np.int64)
        inner += low * chosen.sum(axis=1) + step * (chosen @ weights[some])
        at += count
    expected: NDArray[np.float64] = 0.5 + head[:, 1] + head[:, 0] * inner
    found = [distances(rows, "planes", query, level=level) for level in levels()]
    assert found[0] == pytest.approx(expected, rel=1e-4, abs=1e-2)
    assert all(np.array_equal(found[0], other) for other in found)


@given(width=st.integers(1, 70), seed=st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_lookup(width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (ROWS, width), np.uint8)
    table = rng.standard_normal((width, 256)).astype(np.float32)
    query = np.frombuffer(struct.pack("<f12x", 0.5) + table.tobytes(), np.uint8)
    expected = 0.5 + table[np.arange(width), codes].sum(axis=1)
    some = np.array([3, 0], np.int64)
    for level in levels():
        assert distances(codes, "lookup", query, level=level) == pytest.approx(expected, rel=1e-4, abs=1e-4)
        assert distances(codes, "lookup", query, some, level) == pytest.approx(expected[some], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    ("form", "width", "query"),
    [
        ("bytes", 12, bytes(16 + 5)),
        ("bytes", 12, bytes(4)),
        ("bytes", 4, bytes(16)),
        ("nibbles", 12, bytes(16 + 7)),
        ("planes", 16, struct.pack("<ffIIIff4x", 0, 0, 1, 8, 1, 0, 0) + bytes(8 * 7)),
        ("planes", 24, struct.pack("<ffIIIff4x", 0, 0, 1, 8, 1, 0, 0) + bytes(8 * 8)),
        ("planes", 16, struct.pack("<ffIIIff4x", 0, 0, 1, 9, 1, 0, 0) + bytes(8 * 9)),
        ("planes", 16, struct.pack("<ffIIIff4x", 0, 0, 1, 0, 1, 0, 0)),
        ("planes", 8, struct.pack("<ffII", 0, 0, 1 << 30, 1)),
        ("planes", 16, struct.pack("<ffIIIff4x", 0, 0, 1, 1, 2**32 - 1, 0, 0) + bytes(8)),
        ("lookup", 3, bytes(16 + 4 * 256 * 2)),
    ],
)
def test_a_query_for_other_rows_is_refused(form: str, width: int, query: bytes) -> None:
    rows = np.zeros((4, width), np.uint8)
    prepared = np.frombuffer(query, np.uint8)
    with pytest.raises(ValueError, match="another width"):
        distances(rows, form, prepared)
    graph = KernelGraph(rows, form, np.zeros((4, 3), np.uint32), [], 0)
    with pytest.raises(ValueError, match="another width"):
        graph.search(prepared, 1, 10)
    with pytest.raises(ValueError, match="another width"):
        KernelPool(1).walk(1, graph, prepared, 1, 10)


def test_codes_and_their_queries_are_bytes() -> None:
    rows = np.zeros((4, 12), np.uint8)
    with pytest.raises(ValueError, match="uint8"):
        distances(rows, "bytes", np.zeros(20, np.float32))
    with pytest.raises(ValueError, match="codes are uint8"):
        distances(rows.astype(np.float32), "bytes", np.zeros(20, np.uint8))


@pytest.mark.parametrize("dim", [1, 2, 3, 24, 65, 100])
def test_a_rotation_keeps_lengths_and_mixes_values(dim: int) -> None:
    rng = np.random.default_rng(dim)
    rows = rng.standard_normal((5, dim)).astype(np.float32)
    signs = rng.choice(np.array([-1, 1], np.float32), (4, dim))
    turned = rotated(rows, signs)
    assert turned @ turned.T == pytest.approx(rows @ rows.T, rel=1e-4, abs=1e-4)
    if dim >= 24:
        assert np.abs(rotated(np.eye(1, dim, dtype=np.float32), signs)).max() < 0.8
    assert np.array_equal(rotated(rows, np.empty((0, dim), np.float32)), rows)
    with pytest.raises(ValueError, match="sign"):
        rotated(rows, np.ones((1, dim + 1), np.float32))


@pytest.mark.parametrize(("chunks", "width"), [(1, 1), (3, 2), (2, 16)])
def test_the_nearest_centroids(chunks: int, width: int) -> None:
    rng = np.random.default_rng(chunks)
    codebook = rng.standard_normal((chunks, width, 256)).astype(np.float32)
    codebook[:, :, 200] = codebook[:, :, 7]
    rows = rng.standard_normal((50, chunks * width)).astype(np.float32)
    rows[0] = codebook[:, :, 7].reshape(-1)
    cut = rows.reshape(50, chunks, width, 1).astype(np.float64)
    squares = np.square(cut - codebook).sum(axis=2)
    found = product_codes(rows, codebook)
    least = np.take_along_axis(squares, found[:, :, np.newaxis].astype(np.int64), axis=2)[:, :, 0]
    assert least == pytest.approx(squares.min(axis=2), abs=1e-5)
    assert found[0].tolist() == [7] * chunks
    assert product_table(rows[3], codebook, True) == pytest.approx(squares[3], rel=1e-4, abs=1e-5)
    assert product_table(rows[3], codebook, False) == pytest.approx(-(cut[3] * codebook).sum(axis=1), abs=1e-4)
    with pytest.raises(ValueError, match="as long as"):
        product_codes(rows[:, 1:], codebook)
    with pytest.raises(ValueError, match="as long as"):
        product_table(rows[0, 1:], codebook, True)
    with pytest.raises(ValueError, match="256"):
        product_table(rows[0], codebook[:, :, 1:], True)

"""SipHash and slices, against qdrant-client's local mode."""

from hypothesis import given
from hypothesis import strategies as st
from qdrant_client.local.siphash import point_id_slice, siphash24

from schemas.ids import PointId, render_point_id
from schemas.siphash import siphash, slice_of
from tests.schemas import strategies


@given(st.binary(max_size=40))
def test_agrees_with_local_mode(data: bytes) -> None:
    assert siphash(data) == siphash24(data)


@given(strategies.point_ids, st.integers(1, 1000))
def test_slices_agree_with_local_mode(point_id: PointId, total: int) -> None:
    assert slice_of(point_id, total) == point_id_slice(render_point_id(point_id), total)

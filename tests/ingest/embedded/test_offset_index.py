"""The sparse index of a segment file."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.embedded.offset_index import SPACING_BYTES, OffsetIndex


@given(
    st.lists(st.integers(1, SPACING_BYTES), min_size=1, max_size=60),
    st.data(),
)
def test_the_floor_is_a_known_place_at_or_before(sizes: list[int], data: st.DataObject) -> None:
    places = [(100, 128)]
    for size in sizes:
        places.append((places[-1][0] + 1, places[-1][1] + size))
    index = OffsetIndex(*places[0])
    for place in data.draw(st.permutations(places)):
        index.add(*place)
    for offset, position in places:
        found = index.floor(offset)
        assert found in places
        assert found[0] <= offset
        assert position - found[1] <= 3 * SPACING_BYTES
    assert len(index) <= 1 + (places[-1][1] - 128) / SPACING_BYTES

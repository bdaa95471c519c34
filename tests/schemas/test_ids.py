"""Point ids: spellings, order, keys, wire form and the shard they are at home in."""

from collections import Counter
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadInputError
from schemas.ids import (
    UUID_BASE,
    PointId,
    WireId,
    from_key,
    from_wire,
    ids_from_wire,
    ids_to_wire,
    is_uuid,
    parse_point_id,
    render_point_id,
    shard_of,
    to_key,
    to_keys,
    to_wire,
)
from tests.schemas.strategies import point_ids

ids = st.lists(point_ids, max_size=20)


@given(point_ids)
def test_every_form_reads_back(point_id: PointId) -> None:
    assert parse_point_id(render_point_id(point_id)) == point_id
    assert from_wire(to_wire(point_id)) == point_id
    assert from_key(to_key(point_id)) == point_id
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(to_wire(point_id)), type=WireId) == to_wire(point_id)
    assert is_uuid(point_id) is isinstance(render_point_id(point_id), str)


@given(ids)
def test_many_at_once_are_as_one_by_one(many: list[PointId]) -> None:
    assert ids_to_wire(many) == [to_wire(point_id) for point_id in many]
    assert ids_from_wire(ids_to_wire(many)) == many
    assert to_keys(b"p", many) == [b"p" + to_key(point_id) for point_id in many]


@given(ids)
def test_keys_sort_as_ids_do_and_numbers_come_first(many: list[PointId]) -> None:
    assert sorted(many, key=to_key) == sorted(many)
    assert sorted(many, key=is_uuid) == sorted(many, key=lambda point_id: point_id >= UUID_BASE)


@given(st.uuids())
def test_a_uuid_has_several_spellings(uuid: UUID) -> None:
    expected = PointId(UUID_BASE + uuid.int)
    for text in (str(uuid), str(uuid).upper(), uuid.hex, uuid.urn, f"{{{uuid}}}"):
        assert parse_point_id(text) == expected
    assert to_wire(expected) == uuid.bytes


@given(st.lists(st.uuids()))
def test_uuids_sort_as_uuids(uuids: list[UUID]) -> None:
    assert sorted(uuids) == sorted(uuids, key=lambda uuid: parse_point_id(str(uuid)))


@pytest.mark.parametrize(
    "value",
    [
        -1,
        2**64,
        1.0,
        True,
        None,
        b"x",
        [],
        "",
        "1",
        "x" * 1000,
        "0" * 31,
        "0" * 31 + "g",
        "0" * 31 + "_",
        "\u0660" * 32,
        "+" + "0" * 31,
        "00000000-0000-0000-0000-00000000000",
        "00000000-0000-0000-00000000-00000000",
        "{00000000-0000-0000-0000-000000000000",
        "{00000000000000000000000000000000}",
    ],
)
def test_refuses_what_is_no_id(value: object) -> None:
    with pytest.raises(BadInputError, match="not a valid point ID") as error:
        parse_point_id(value)
    assert len(error.value.message) < 200


@pytest.mark.parametrize("value", [-1, 2**64, b"", b"0" * 15, b"0" * 17])
def test_refuses_what_is_no_wire_id(value: WireId) -> None:
    with pytest.raises(BadInputError):
        from_wire(value)
    with pytest.raises(BadInputError):
        ids_from_wire([1, value])


@pytest.mark.parametrize(
    ("json_id", "shard"),
    [
        (0, 0),
        (1, 6),
        (2, 1),
        (3, 4),
        (2**64 - 1, 0),
        ("550e8400-e29b-41d4-a716-446655440000", 0),
        ("00000000-0000-0000-0000-000000000001", 6),
    ],
)
def test_homes_never_change(json_id: int | str, shard: int) -> None:
    assert shard_of(parse_point_id(json_id), 7) == shard


def test_the_hash_is_splitmix64() -> None:
    """The first output of the published generator with seed 0."""
    assert shard_of(PointId(0x9E3779B97F4A7C15), 2**64) == 0xE220A8397B1DCDAF


@given(point_ids, st.integers(1, 256))
def test_a_home_is_one_of_the_shards(point_id: PointId, shards: int) -> None:
    assert 0 <= shard_of(point_id, shards) < shards


def test_homes_are_spread_evenly() -> None:
    for start in (0, UUID_BASE):
        sizes = Counter(shard_of(PointId(start + i), 8) for i in range(8000))
        assert min(sizes.values()) > 800
        assert max(sizes.values()) < 1200

"""Foreign records: what is at home is applied as if it had come through REST, what is not goes to the outbox."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import requests
from ingest.foreign import Destination, decode_foreign
from ingest.log import LogRecord
from ingest.sharding import records_of
from projector.fold.outcomes import APPLIED
from schemas.errors import HeadwaterError
from schemas.ids import PointId, parse_point_id, shard_of, to_wire
from schemas.operations import DeletePoints, Operation
from schemas.records import PointsRecord, ShardOpened
from schemas.rest.decode import decode_body
from schemas.rest.points import PointRequest, UpdateBatchRequest, UpsertRequest
from tests.ingest.foreign import strategies
from tests.ingest.foreign.samples import json_message, message
from tests.projector.fold.memory_state import CONFIG, OPENED, MemoryState, opened, points_record, upsert
from tests.projector.fold.one import One
from tests.support.examples import tries

NAME = "things"
NO_VECTORS: dict[str, list[float]] = {}
UID = 7
_point_decoder = msgspec.json.Decoder(PointRequest)
_batch_decoder = msgspec.json.Decoder(UpdateBatchRequest)


def state_with(*shards: int, of: int = 3) -> MemoryState:
    """A state at which some of the shards of a collection are at home."""
    state = MemoryState()
    for seq, shard in enumerate(shards, start=1):
        shard_map = [0 if number in shards else 1 for number in range(of)]
        state.apply(ShardOpened(seq=seq, uid=UID, shard=shard, name=NAME, config=CONFIG, shard_map=shard_map))
    return state


def fold_message(state: MemoryState, record: LogRecord, chunk: int = 2000) -> One:
    """Apply a foreign message; the final effects. Raises what makes it unreadable."""
    return state.apply(decode_foreign(record), chunk)[-1]


def rest_operations(body: dict[str, Any]) -> list[Operation]:
    """What the REST routes make of a body."""
    if "id" in body:
        point = decode_body(_point_decoder, msgspec.json.encode(body))
        return [requests.checked(CONFIG, requests.upsert(CONFIG, UpsertRequest(points=[point])))]
    parts = body.get("operations")
    if parts is None:
        request = {name: value for name, value in body.items() if name != "operation"}
        parts = [{body["operation"]: request}]
    decoded = decode_body(_batch_decoder, msgspec.json.encode({"operations": parts}))
    return requests.batch_operations(CONFIG, decoded.operations)


@settings(max_examples=tries(60))
@given(st.lists(strategies.bodies, max_size=8), st.sampled_from([1, 2, 3]), st.integers(1, 9))
def test_a_foreign_record_does_what_its_rest_request_does(
    bodies: list[dict[str, Any]], shards: int, chunk: int
) -> None:
    foreign, rest = state_with(*range(shards), of=shards), state_with(*range(shards), of=shards)
    for body in bodies:
        record = json_message(collection_name=NAME, **body)
        try:
            operations = rest_operations(body)
        except HeadwaterError:
            operations = None
        try:
            outcomes = fold_message(foreign, record, chunk).outcomes
        except HeadwaterError:
            assert operations is None
            continue
        if operations is None:
            assert [o.applied for o in outcomes] == [False]
            continue
        assert len(outcomes) == len(operations)
        found: list[bool] = []
        for shard, part in records_of(operations, shards, 1 << 30):
            effects = rest.apply(PointsRecord(uid=UID, shard=shard, ops=part))[-1]
            found.extend(outcome.applied for outcome in effects.outcomes)
        assert all(found) == all(outcome.applied for outcome in outcomes)
    assert foreign.stored == rest.stored
    assert foreign.metas == rest.metas


def test_a_collection_that_is_not_at_home() -> None:
    state = opened()
    effects = fold_message(state, json_message(collection_name="others", id=1, vector={}))
    assert effects == One(outcomes=[APPLIED], destination=Destination("others"))


def test_shards_that_are_not_at_home_are_not_at_home() -> None:
    state = state_with(0, 2)
    by_shard = [[i for i in range(30) if shard_of(PointId(i), 3) == shard] for shard in range(3)]
    for point_id, shard in ((by_shard[0][0], 0), (by_shard[1][0], 1), (by_shard[2][0], 2)):
        effects = fold_message(state, json_message(collection_name=NAME, id=point_id, vector={}))
        assert effects.outcomes == [APPLIED]
        assert effects.destination == (Destination(NAME, UID, [1]) if shard == 1 else None)
        assert bool(effects.points) == (shard != 1)
    effects = fold_message(state, json_message(collection_name=NAME, operation="delete", filter={}))
    assert effects.destination == Destination(NAME, UID, [1])
    assert not any(state.stored.values())


def test_a_full_chunk_ends_with_a_shard_and_only_the_last_is_final() -> None:
    state = state_with(0, 2)
    points = [{"id": i, "vector": NO_VECTORS} for i in range(12)]
    found = state.apply(decode_foreign(json_message(collection_name=NAME, points=points)), chunk=1)
    assert [effects.cursor is None for effects in found] == [False, True]
    assert [effects.chunk for effects in found] == [0, 1]
    assert [effects.destination for effects in found] == [None, Destination(NAME, UID, [1])]
    assert {e.shard.shard for e in found if e.shard is not None} == {0, 2}


def test_an_outcome_is_the_first_rejection_among_its_shards() -> None:
    state = state_with(0, 1, 2)
    there = [i for i in range(30) if shard_of(PointId(i), 3) != 0][:3]
    missing = next(i for i in range(30) if shard_of(PointId(i), 3) == 0)
    points = [{"id": i, "vector": NO_VECTORS} for i in there]
    effects = fold_message(
        state,
        json_message(
            collection_name=NAME,
            operations=[
                {"upsert": {"points": points}},
                {"set_payload": {"payload": {"a": 1}, "points": [*there, missing]}},
                {"clear_payload": {"points": there[:1]}},
            ],
        ),
    )
    assert [outcome.status for outcome in effects.outcomes] == [0, 404, 0]


@pytest.mark.parametrize("shards", [(0,), (0, 1, 2)])
def test_what_is_wrong_under_the_configuration_is_rejected_whole(shards: tuple[int, ...]) -> None:
    state = state_with(*shards)
    points = [*[{"id": i, "vector": NO_VECTORS} for i in range(12)], {"id": 12, "vector": {"text": [1, 2]}}]
    effects = fold_message(state, json_message(collection_name=NAME, points=points))
    assert [outcome.status for outcome in effects.outcomes] == [400]
    assert effects.destination is None
    assert not any(state.stored.values())


def test_no_operations_do_nothing() -> None:
    effects = fold_message(state_with(0), json_message(collection_name=NAME, operations=[]))
    assert effects == One()


def test_a_tombstone_deletes() -> None:
    state = opened()
    state.run(upsert({1: None, 2: None}))
    effects = fold_message(state, message(None, b"2", (("collection_name", NAME.encode()),)))
    assert effects.outcomes == [APPLIED]
    assert list(state.payloads()) == [1]
    assert state.apply(points_record(DeletePoints(ids=[to_wire(parse_point_id(2))])))[0].points == {}


@settings(max_examples=tries(60))
@given(st.lists(strategies.messages(st.sampled_from([NAME, NAME, "others"])), max_size=6), st.integers(1, 5))
def test_any_foreign_record_is_folded_or_refused(records: list[LogRecord], chunk: int) -> None:
    state = state_with(0, 2)
    for record in records:
        try:
            found = state.apply(decode_foreign(record), chunk)
        except HeadwaterError:
            continue
        assert all(effects.destination is None for effects in found[:-1])
        if not all(outcome.applied for outcome in found[-1].outcomes):
            assert found[-1].outcomes


def test_a_shard_does_not_open_again_under_another_name() -> None:
    state = opened()
    state.apply(msgspec.structs.replace(OPENED, seq=2, name="other"))
    assert state.home("other") is None
    assert state.home(NAME) is not None

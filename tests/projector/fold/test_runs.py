"""Runs: whatever is folded together ends as if each record had been folded for itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.foreign import Destination, ForeignWrite
from ingest.log import LogRecord
from projector.fold import window
from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Cursor
from projector.fold.fold import Fold
from projector.fold.outcomes import APPLIED
from projector.fold.packed import DecodedRecord, PackedPoint
from projector.fold.window import decode, decode_window, windows
from schemas.config import UNNAMED
from schemas.operations import DeletePoints, Outcome, SetPayload, UpdateMode, Upsert
from schemas.records import Origin, PointsRecord, ShardChanged, encode_record
from tests.ingest.foreign.samples import PLAIN, json_message, message
from tests.projector.fold.log_strategies import PLAIN_NAME, logs, plain_opened
from tests.projector.fold.memory_state import CONFIG, SHARD, MemoryState, column, opened, points_record, upsert
from tests.projector.fold.one import fold_one
from tests.support.examples import tries


@dataclass
class Folded:
    """A state, and what else was told."""

    state: MemoryState = field(default_factory=MemoryState)
    refused: dict[int, list[Outcome]] = field(default_factory=dict[int, list[Outcome]])
    outbox: list[tuple[int, Destination]] = field(default_factory=list[tuple[int, Destination]])
    runs: list[int] = field(default_factory=list[int])

    def one(self, offset: int, record: DecodedRecord, chunk: int = 2000) -> None:
        """Fold a record for itself."""
        if isinstance(record, Outcome):
            self._tell(offset, [record])
            return
        whole = record.record if isinstance(record, PackedPoint) else record
        cursor: Cursor | None = None
        while True:
            effects, one = fold_one(self.state, whole, offset, cursor, ChunkLimit(chunk))
            self.state.commit(effects)
            cursor = effects.cursor
            if cursor is None:
                break
        self._tell(offset, one.outcomes)
        self.outbox += effects.outbox

    def together(self, records: Sequence[LogRecord], most_ids: int, most_points: int, most_new: int = 8 << 20) -> None:
        """Fold records as runs where possible, as the runner does."""
        for part in windows(records):
            decoded = decode_window(self.state, part)
            at = 0
            while at < len(part):
                run = Fold(self.state, ChunkLimit(most_ids, most_new))
                for record, what in zip(part[at:], decoded[at:], strict=True):
                    if not run.add(record.offset, what) or run.points >= most_points:
                        break
                effects = run.effects()
                self.state.commit(effects)
                while effects.cursor is not None:
                    run = run.rest()
                    assert run.add(part[at].offset, decoded[at])
                    effects = run.effects()
                    self.state.commit(effects)
                self.outbox.extend(effects.outbox)
                self.refused.update(effects.refused)
                self.runs.append(run.records)
                at += run.records
                assert effects.offset == part[at - 1].offset

    def _tell(self, offset: int, outcomes: list[Outcome]) -> None:
        if any(not outcome.applied for outcome in outcomes):
            self.refused[offset] = outcomes


@settings(max_examples=tries(150))
@given(
    log=logs,
    most_ids=st.sampled_from([1, 3, 2000]),
    most_points=st.sampled_from([1, 4, 4000]),
    most_records=st.sampled_from([1, 2, 7, 1000]),
    most_bytes=st.sampled_from([1, 300, 1 << 20]),
    most_new=st.sampled_from([1, 200, 8 << 20]),
)
def test_a_run_is_what_its_records_are(
    log: list[LogRecord], most_ids: int, most_points: int, most_records: int, most_bytes: int, most_new: int
) -> None:
    each, together = Folded(), Folded()
    for record in log:
        each.one(record.offset, decode(record))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(window, "MOST_RECORDS", most_records)
        patched.setattr(window, "MOST_BYTES", most_bytes)
        together.together(log, most_ids, most_points, most_new)
    assert together.state.stored == each.state.stored
    assert together.state.metas == each.state.metas
    assert together.state.watermarks == each.state.watermarks
    assert together.state.marker_seq == each.state.marker_seq
    assert together.refused == each.refused
    assert together.outbox == each.outbox


def _folded(*records: LogRecord) -> Folded:
    found = Folded(opened())
    for shard in range(2):
        found.state.apply(plain_opened(shard + 2, shard))
    log = [LogRecord(0, 10 + at, 0, r.key, r.value, r.headers) for at, r in enumerate(records)]
    found.together(log, 2000, 4000)
    return found


def _point(point_id: int, **fields: object) -> LogRecord:
    return json_message(**{"collection_name": PLAIN_NAME, "id": point_id, "vector": [1, point_id], **fields})


def _canonical(*operations: SetPayload | DeletePoints, **fields: Origin) -> LogRecord:
    return message(encode_record(msgspec.structs.replace(points_record(*operations), **fields)))


def test_single_points_of_several_shards_and_collections_are_one_run() -> None:
    found = _folded(*[_point(i) for i in range(20)], _point(3, collection_name="others"), _point(3, vector=[9, 9]))
    assert found.runs == [22]
    assert found.outbox == [(30, Destination("others"))]
    assert sum(len(stored) for stored in found.state.stored.values()) == 20
    assert sum(meta.version for meta in found.state.metas.values()) == 21


def test_a_run_goes_on_after_a_rejection() -> None:
    found = _folded(_point(1), _point(2, vector=[1]), _point(3), message(b"{"), _point(4), _point(5))
    assert found.runs == [6]
    assert list(found.refused) == [11, 13]


def test_operations_by_id_may_be_in_a_run_and_see_what_came_before() -> None:
    first = points_record(upsert({1: {"a": 1}, 2: None}))
    found = _folded(
        message(encode_record(first)),
        _canonical(SetPayload(b'{"b":2}', ids=[1]), DeletePoints(ids=[2])),
        _canonical(SetPayload(b'{"b":2}', ids=[2])),
    )
    assert found.runs == [3]
    assert found.refused[12][0].status == 404
    assert found.state.payloads() == {1: {"a": 1, "b": 2}}


def test_filters_and_markers_are_not_in_a_run() -> None:
    config = ShardChanged(seq=9, uid=SHARD.uid, shard=SHARD.shard, config=CONFIG)
    found = _folded(
        _point(1),
        _canonical(SetPayload(b'{"b":2}', filter={})),
        _point(2),
        message(encode_record(config)),
        _point(3),
    )
    assert found.runs == [1, 1, 1, 1, 1]


def test_many_operations_by_id_are_not_in_a_run() -> None:
    run = Fold(opened(), ChunkLimit(10))
    few, many = DeletePoints(ids=[1, 2, 3, 4, 5]), DeletePoints(ids=[6, 7, 8, 9, 10, 11])
    assert run.add(1, points_record(few, few))
    assert not run.add(2, points_record(few, many))
    assert run.records == 1


def test_a_forwarded_record_may_come_twice_in_a_run() -> None:
    origin = Origin(3, 4, 0)
    record = _canonical(DeletePoints(ids=[1]), origin=origin)
    found = _folded(record, record, _canonical(DeletePoints(ids=[1]), origin=Origin(3, 4, 1)))
    assert found.runs == [3]
    assert found.state.metas[SHARD].version == 2
    assert found.state.watermarks == {3: Origin(3, 4, 1)}


def test_points_are_packed_where_that_is_plain() -> None:
    state = MemoryState()
    state.apply(plain_opened(1, 0))
    state.apply(plain_opened(2, 1))
    good = [_point(i) for i in range(3)]
    odd = [_point(1, vector={"": [1, 2]}), _point(1, payload=7), _point(1, id="x"), _point(1, vector=[1, 1e39])]
    decoded = decode_window(state, [*good, *odd])
    assert [isinstance(record, PackedPoint) for record in decoded] == [True] * 3 + [False] * 4
    for record in good:
        one = decode(record)
        assert isinstance(one, ForeignWrite)
        (operation,) = one.operations(PLAIN)
        packed = decode_window(state, [record])[0]
        assert isinstance(packed, PackedPoint)
        assert isinstance(operation, Upsert)
        assert packed.vector == operation.vectors[UNNAMED].data


def test_canonical_records_of_one_point_are_packed_where_that_is_plain() -> None:
    def record(**fields: Any) -> LogRecord:
        parts: dict[str, Any] = {"ids": [1], "vectors": {UNNAMED: column([1, 2])}, "payloads": [b'{"a":1}'], **fields}
        return message(encode_record(PointsRecord(uid=9, shard=0, ops=[Upsert(**parts)])))

    state = MemoryState()
    good = [record(), record(payloads=None), record(ids=[bytes(16)])]
    odd = [
        record(ids=[1, 2], vectors={}, payloads=None),
        record(ids=[b"short"]),
        record(vectors={UNNAMED: column([1, 2], of=[0])}),
        record(vectors={"image": column([1, 2])}),
        record(payloads=[b"[]"]),
        record(update_mode=UpdateMode.INSERT_ONLY),
        record(update_filter={}),
    ]
    decoded = decode_window(state, [*good, *odd])
    assert [isinstance(found, PackedPoint) for found in decoded] == [True] * 3 + [False] * 7
    bad = record(vectors={UNNAMED: column([1, float("nan")])})
    assert not any(isinstance(found, PackedPoint) for found in decode_window(state, [*good, bad]))


def test_an_empty_record_is_applied() -> None:
    found = _folded(message(encode_record(PointsRecord(uid=SHARD.uid, shard=0, ops=[]))))
    assert found.runs == [1]
    assert found.refused == {}
    run = Fold(found.state, ChunkLimit(10))
    assert run.add(99, PointsRecord(uid=SHARD.uid, shard=0, ops=[]))
    assert run.effects().refused == {}
    assert APPLIED.applied

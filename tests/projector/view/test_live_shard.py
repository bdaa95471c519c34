"""Views against a plain dict: whatever happens later, an older view keeps giving its answers."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from projector.frames import ShardId
from projector.view import live_tails
from projector.view.live_shard import LiveShard
from projector.view.part import Part, row_of
from projector.view.shard_view import ShardView
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import UUID_BASE, PointId
from schemas.points import encode_point
from tests.projector.view.memory_segment import MemorySegment, build_from, nobody_dead
from tests.support.examples import tries

SHARD = ShardId(7, 0)
CONFIG = CollectionConfig(
    vectors={"a": VectorParams(2, Distance.DOT), "b": VectorParams(3, Distance.EUCLID)},
)
NAMES = tuple(CONFIG.vectors)
ids = st.sampled_from([PointId(n) for n in (0, 1, 2, 3, 5, 8, UUID_BASE, UUID_BASE + 256, UUID_BASE + 2**127)])
contents = st.tuples(st.sets(st.sampled_from([0, 1])), st.integers(0, 3))

Value = tuple[int, dict[str, tuple[float, ...]], bytes]


@dataclass
class Kept:
    """A view, what it must answer, and whether it was asked while it was new."""

    view: ShardView
    points: Mapping[PointId, Value]


def stored(version: int, positions: set[int], extra: int) -> bytes:
    vectors = [(p, vector(version, p).tobytes()) for p in sorted(positions)]
    return encode_point(version, vectors, b'{"n":%d}' % version if extra else b"")


def vector(version: int, position: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    size = CONFIG.vectors[NAMES[position]].size
    return np.arange(version, version + size, dtype=np.float32)


def value_of(part: Part, slot: int) -> Value:
    vectors: dict[str, tuple[float, ...]] = {}
    for name in NAMES:
        held = part.vectors(name)
        row = -1 if held is None else row_of(held, slot)
        if held is not None and row >= 0:
            vectors[name] = tuple(held.value(row).tolist())
    return part.version_at(slot), vectors, part.payload_at(slot)


def check(kept: Kept) -> None:
    view, expected = kept.view, kept.points
    assert view.count == len(expected)
    seen: dict[PointId, Value] = {}
    for part in view.parts:
        slots = np.flatnonzero(part.alive_mask())
        assert len(slots) == part.alive_count
        assert part.alive(np.arange(part.size)).tolist() == part.alive_mask().tolist()
        for point_id, slot in zip(part.ids_at(slots), slots.tolist(), strict=True):
            assert point_id not in seen
            assert part.id_at(slot) == point_id
            assert view.find(point_id) == (part, slot)
            seen[point_id] = value_of(part, slot)
        check_order(part)
    assert seen == expected
    for absent in (PointId(4), PointId(UUID_BASE + 1)):
        assert view.find(absent) is None


def check_order(part: Part) -> None:
    order = part.id_order()
    ordered = part.ids_at(np.arange(part.size) if order is None else order)
    assert list(ordered) == sorted(ordered)
    for bound in (PointId(0), PointId(3), PointId(9), PointId(UUID_BASE + 256), PointId(UUID_BASE + 2**128 - 1)):
        assert part.lower_bound(bound) == sum(i < bound for i in ordered)


class LiveShardMachine(RuleBasedStateMachine):
    """Stages, publishes and replaces at random; ``staged`` and ``published`` are what must be there."""

    def __init__(self) -> None:
        super().__init__()
        self.offset = 0
        self.version = 1
        first = MemorySegment(CONFIG, [(PointId(1), stored(1, {0}, 1)), (PointId(UUID_BASE), stored(1, {0, 1}, 0))])
        dead = nobody_dead(first)
        dead[0] = True
        self.live = LiveShard(SHARD, CONFIG, [(first, dead)], 0)
        value: Value = (1, {n: tuple(vector(1, p).tolist()) for p, n in enumerate(NAMES)}, b"")
        self.staged: dict[PointId, Value] = {PointId(UUID_BASE): value}
        self.published = dict(self.staged)
        self.bases: list[ShardView] = []
        self.kept = [Kept(self.live.view, dict(self.published))]

    @rule(batch=st.lists(st.tuples(ids, st.none() | contents), max_size=6), next_record=st.booleans())
    def apply(self, batch: list[tuple[PointId, tuple[set[int], int] | None]], next_record: bool) -> None:
        self.offset += next_record or self.offset == self.live.view.offset
        points: list[bytes | None] = []
        for point_id, content in batch:
            self.version += 1
            if content is None:
                points.append(None)
                self.staged.pop(point_id, None)
                continue
            positions, extra = content
            points.append(stored(self.version, positions, extra))
            vectors = {NAMES[p]: tuple(vector(self.version, p).tolist()) for p in positions}
            payload = b'{"n":%d}' % self.version if extra else b""
            self.staged[point_id] = (self.version, vectors, payload)
        self.live.apply([i for i, _ in batch], points, self.offset)

    @rule(skipped=st.integers(0, 2))
    def publish(self, skipped: int) -> None:
        self.offset += skipped
        self.published = dict(self.staged)
        assert self.live.publish(self.offset) is self.live.view
        assert self.live.view.offset == self.offset
        self.kept.append(Kept(self.live.view, dict(self.published)))

    @rule(ends=st.booleans())
    def start_building(self, ends: bool) -> None:
        self.bases = [self.live.begin_seal() if ends else self.live.view]

    @precondition(lambda self: bool(self.bases))
    @rule(data=st.data(), seal=st.booleans())
    def replace(self, data: st.DataObject, seal: bool) -> None:
        base = self.bases.pop()
        removed = [p for p in base.segments if data.draw(st.booleans())]
        built = build_from(base, removed, seal)
        added = [built] if built.size else []
        view = self.live.replace(base, [p.segment for p in removed], added, seal)
        assert view is self.live.view
        self.kept.append(Kept(view, dict(self.published)))

    @invariant()
    def newest_view_is_right(self) -> None:
        check(Kept(self.live.view, self.published))

    def teardown(self) -> None:
        for kept in self.kept:
            check(kept)


class SmallTailsMachine(LiveShardMachine):
    """The same with tails of few rows."""

    def __init__(self) -> None:
        self.few = few_rows()
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        self.few.close()


def few_rows(rows: int = 5) -> ExitStack:
    """Until it is closed, tails are full with so many rows."""
    with ExitStack() as patched:
        patched.enter_context(patch.object(live_tails, "FULL_ROWS", rows))
        return patched.pop_all()


LiveShardMachine.TestCase.settings = settings(max_examples=tries(60), stateful_step_count=25, deadline=None)
SmallTailsMachine.TestCase.settings = LiveShardMachine.TestCase.settings
TestLiveShard = LiveShardMachine.TestCase
TestSmallTails = SmallTailsMachine.TestCase


@settings(max_examples=tries(100), deadline=None)
@given(st.lists(st.tuples(ids, st.none() | contents), max_size=12))
def test_a_change_does_the_same_alone_and_among_others(
    changes: list[tuple[PointId, tuple[set[int], int] | None]],
) -> None:
    segment = MemorySegment(CONFIG, [(PointId(1), stored(1, {0}, 1)), (PointId(UUID_BASE), stored(1, {0, 1}, 0))])
    alone, among = (LiveShard(SHARD, CONFIG, [(segment, nobody_dead(segment))], 0) for _ in range(2))
    nowhere = PointId(4)
    for offset, (point_id, content) in enumerate(changes, 1):
        point = None if content is None else stored(offset, *content)
        alone.apply([point_id], [point], offset)
        among.apply([point_id, nowhere], [point, None], offset)
        one, other = alone.publish(offset), among.publish(offset)
        assert len(one.parts) == len(other.parts)
        for mine, theirs in zip(one.parts, other.parts, strict=True):
            assert mine.dead_at.tolist() == theirs.dead_at.tolist()
            assert sorted(mine.dead_slots().tolist()) == sorted(theirs.dead_slots().tolist())
            assert mine.alive_count == theirs.alive_count
            everything = np.arange(mine.size)
            assert mine.ids_at(everything) == theirs.ids_at(everything)
            assert [value_of(mine, n) for n in range(mine.size)] == [value_of(theirs, n) for n in range(mine.size)]


def test_nothing_is_visible_before_publish() -> None:
    live = LiveShard(SHARD, CONFIG, [], 3)
    live.apply([PointId(1)], [stored(1, {0}, 1)], 4)
    assert live.view.count == 0
    assert live.view.find(PointId(1)) is None
    assert live.publish(4).count == 1


def test_an_unchanged_segment_keeps_its_part() -> None:
    segment = MemorySegment(CONFIG, [(PointId(1), stored(1, {0}, 1))])
    live = LiveShard(SHARD, CONFIG, [(segment, nobody_dead(segment))], 0)
    before = live.view
    live.apply([PointId(2)], [stored(2, {1}, 0)], 1)
    after = live.publish(1)
    assert after.segments[0] is before.segments[0]
    assert after.count == 2


def test_a_configuration_is_staged_too() -> None:
    live = LiveShard(SHARD, CONFIG, [], 0)
    changed = CollectionConfig(vectors={**CONFIG.vectors, "c": VectorParams(1, Distance.COSINE)})
    live.reconfigure(changed, 1)
    assert live.view.config is CONFIG
    value = encode_point(1, [(2, np.array([5], np.float32).tobytes())], b"")
    live.apply([PointId(1)], [value], 1)
    view = live.publish(1)
    assert view.config is changed
    vectors = view.tails[0].vectors("c")
    assert vectors is not None
    assert vectors.value(0).tolist() == [1.0]
    assert vectors.slots is None


def test_publishing_never_goes_back() -> None:
    live = LiveShard(SHARD, CONFIG, [], 5)
    live.apply([PointId(1)], [None], 7)
    with pytest.raises(ValueError, match="staged at 7"):
        live.publish(6)
    live.publish(7)
    with pytest.raises(ValueError, match="publish at 6"):
        live.publish(6)


def test_catching_up_without_changes_and_never_amid_them() -> None:
    live = LiveShard(SHARD, CONFIG, [], 2)
    assert live.catch_up(9)
    assert live.view.offset == 9
    live.apply([PointId(1)], [stored(1, {0}, 1)], 10)
    assert not live.catch_up(9)
    assert (live.view.offset, live.view.count) == (9, 0)
    assert live.catch_up(10)
    assert (live.view.offset, live.view.count) == (10, 1)


def test_replacing_between_staging_and_publishing() -> None:
    live = LiveShard(SHARD, CONFIG, [], 0)
    sealed, fresh, gone = PointId(1), PointId(2), PointId(3)
    live.apply([sealed], [stored(1, {0}, 1)], 1)
    base = live.publish(1)
    live.apply([fresh, gone], [stored(2, {0, 1}, 1), stored(3, {1}, 1)], 2)
    live.apply([gone], [None], 3)
    visible = live.publish(3)
    live.apply([sealed, fresh], [None, None], 4)
    live.apply([gone], [stored(4, {0}, 0)], 4)
    replaced = live.replace(base, [], [build_from(base, [], True)], tails_sealed=True)
    expected = {i: value_of(*located(visible, i)) for i in (sealed, fresh)}
    check(Kept(replaced, expected))
    after = live.publish(4)
    check(Kept(after, {gone: (4, {"a": (4.0, 5.0)}, b"")}))
    for older, points in ((visible, expected), (replaced, expected)):
        check(Kept(older, points))


def located(view: ShardView, point_id: PointId) -> tuple[Part, int]:
    found = view.find(point_id)
    assert found is not None
    return found


def test_a_growing_tail_leaves_older_views_alone() -> None:
    live = LiveShard(SHARD, CONFIG, [], 0)
    everything: dict[PointId, Value] = {}
    kept = [Kept(live.view, {})]
    for batch in range(1, 8):
        new = [PointId(n) for n in range(batch * 500, batch * 500 + 600)]
        points = [stored(i, {0}, 1) for i in new]
        live.apply(new, points, batch)
        view = live.publish(batch)
        everything |= {i: value_of(*located(view, i)) for i in new}
        kept.append(Kept(view, dict(everything)))
    for older in kept:
        check(older)


def test_what_is_no_longer_there_cannot_be_replaced() -> None:
    segment = MemorySegment(CONFIG, [(PointId(1), stored(1, {0}, 1))])
    live = LiveShard(SHARD, CONFIG, [(segment, nobody_dead(segment))], 0)
    live.apply([PointId(2)], [stored(2, {0}, 0)], 1)
    base = live.publish(1)
    sealed = build_from(base, [], True)
    live.replace(base, [], [sealed], tails_sealed=True)
    with pytest.raises(ValueError, match="no longer there"):
        live.replace(base, [], [sealed], tails_sealed=True)
    other = MemorySegment(CONFIG, [])
    with pytest.raises(ValueError, match="no longer there"):
        live.replace(live.view, [other], [], tails_sealed=False)


def test_what_is_sealed_is_let_go_of_whole() -> None:
    live = LiveShard(SHARD, CONFIG, [], 0)
    with few_rows():
        for offset in range(1, 8):
            live.apply([PointId(10 + offset)], [stored(offset, {0}, 1)], offset)
            live.publish(offset)
        base = live.begin_seal()
        assert [part.size for part in base.tails] == [5, 2]
        live.apply([PointId(11), PointId(18)], [None, stored(8, {0}, 1)], 8)
        before = live.publish(8)
        after = live.replace(base, [], [build_from(base, [], True)], tails_sealed=True)
    assert [part.size for part in before.tails] == [5, 2, 1]
    assert [part.tail for part in after.tails] == [before.tails[2].tail]
    check(Kept(after, {i: value_of(*located(before, i)) for i in map(PointId, range(12, 19))}))


def test_only_a_little_comes_to_a_tail_while_it_is_sealed() -> None:
    live = LiveShard(SHARD, CONFIG, [], 0)

    def write(first: int, last: int) -> list[int]:
        for offset in range(first, last + 1):
            live.apply([PointId(offset)], [stored(offset, {0}, 1)], offset)
            live.publish(offset)
        return [part.size for part in live.view.tails]

    with few_rows(16):
        assert write(10, 13) == [4]
        base = live.begin_seal()
        assert write(14, 15) == [6]
        assert write(16, 20) == [6, 5]
        before = live.view
        view = live.replace(base, [], [build_from(base, [], True)], tails_sealed=True)
        assert [part.size for part in view.tails] == [2, 5]
        check(Kept(view, {i: value_of(*located(before, i)) for i in map(PointId, range(10, 21))}))
        assert write(21, 31) == [2, 16]
        assert write(32, 32) == [2, 16, 1]

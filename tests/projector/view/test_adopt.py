"""A reader that takes over segments from manifests shows what the projector shows, at every offset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from numpy.typing import NDArray

from projector.segments.reader import Segment
from projector.view.live_shard import LiveShard
from projector.view.segment_part import SegmentPart
from projector.view.shard_view import ShardView
from schemas.ids import PointId
from tests.projector.view.memory_segment import MemorySegment, build_from, nobody_dead
from tests.projector.view.test_live_shard import (
    CONFIG,
    SHARD,
    Kept,
    Value,
    check,
    contents,
    few_rows,
    ids,
    located,
    stored,
    value_of,
)
from tests.support.examples import tries

Change = tuple[int, list[PointId], list[bytes | None]]
"""(offset, ids, points) of one record, or of a part of it."""


@dataclass(frozen=True)
class Named:
    """What a manifest says."""

    offset: int
    usable_from: int
    segments: Sequence[tuple[Segment, NDArray[np.bool_]]]


@dataclass
class Reader:
    """A live shard, how many of the changes it has taken in, and the number of the manifest whose segments it has."""

    live: LiveShard
    taken: int
    manifest: int
    kept: list[Kept] = field(default_factory=list[Kept])


class AdoptMachine(RuleBasedStateMachine):
    """A projector's live shard makes manifests as the optimizer does; readers follow at their own pace."""

    def __init__(self) -> None:
        super().__init__()
        self.live = LiveShard(SHARD, CONFIG, [], -1)
        self.version = 0
        self.offset = -1
        self.changes: list[Change] = []
        self.shown: dict[int, Mapping[PointId, Value]] = {-1: {}}
        self.sealed = -1
        self.builds: list[tuple[ShardView, list[bool], bool]] = []
        self.manifests = [Named(-1, -1, [])]
        self.readers = [Reader(LiveShard(SHARD, CONFIG, [], -1), 0, 0)]

    @rule(
        batch=st.lists(st.tuples(ids, st.none() | contents), max_size=5),
        part_of_record=st.booleans(),
        skipped=st.integers(0, 2),
    )
    def apply(
        self, batch: list[tuple[PointId, tuple[set[int], int] | None]], part_of_record: bool, skipped: int
    ) -> None:
        if self.offset == self.live.view.offset:
            self.offset += 1 + skipped
        distinct = dict(batch)
        points: list[bytes | None] = []
        for content in distinct.values():
            self.version += 1
            points.append(None if content is None else stored(self.version, *content))
        self.changes.append((self.offset, list(distinct), points))
        self.live.apply(list(distinct), points, self.offset)
        if not part_of_record:
            self.publish()

    def publish(self) -> None:
        view = self.live.publish(self.offset)
        self.shown[self.offset] = _points(view)

    @precondition(lambda self: len(self.builds) < 2)
    @rule(merged=st.lists(st.booleans(), min_size=8, max_size=8), seal=st.booleans())
    def start_building(self, merged: list[bool], seal: bool) -> None:
        seal = seal and not any(other_seals for _, _, other_seals in self.builds)
        busy = {id(p.segment) for base, chosen, _ in self.builds for p in _chosen(base, chosen)}
        base = self.live.begin_seal() if seal else self.live.view
        free = [id(p.segment) not in busy for p in base.segments]
        self.builds.append((base, [m and f for m, f in zip(merged, free, strict=False)], seal))

    @precondition(lambda self: bool(self.builds))
    @rule(which=st.integers(0, 1), graph_names=st.booleans())
    def finish_building(self, which: int, graph_names: bool) -> None:
        base, chosen, seal = self.builds.pop(which % len(self.builds))
        removed = _chosen(base, chosen)
        built = build_from(base, removed, seal)
        self.live.replace(base, [p.segment for p in removed], [built] if built.size else [], seal)
        if seal:
            self.sealed = base.offset
        view = self.live.view
        named = [(part.segment, part.dead_at <= np.uint64(max(self.sealed, 0))) for part in view.segments]
        self.manifests.append(Named(self.sealed, view.offset, named))

    @rule(which=st.integers(0, 5), records=st.integers(1, 8), each=st.booleans())
    def read(self, which: int, records: int, each: bool) -> None:
        reader = self.readers[which % len(self.readers)]
        for _ in range(records):
            if reader.taken == len(self.changes):
                break
            offset, changed, points = self.changes[reader.taken]
            reader.taken += 1
            reader.live.apply(changed, points, offset)
            whole = offset in self.shown and self._next_offset(reader) != offset
            if whole and (each or reader.taken == len(self.changes)):
                self._publish(reader, offset)
        self._publish_whole(reader)

    def _next_offset(self, reader: Reader) -> int | None:
        return self.changes[reader.taken][0] if reader.taken < len(self.changes) else None

    def _publish_whole(self, reader: Reader) -> None:
        """Read to the end of a record, if it has one, and show it."""
        while reader.taken and reader.live.view.offset < self.changes[reader.taken - 1][0]:
            offset = self.changes[reader.taken - 1][0]
            if self._next_offset(reader) == offset:
                self._take_one(reader)
            elif offset in self.shown:
                self._publish(reader, offset)
            else:
                break

    def _take_one(self, reader: Reader) -> None:
        offset, changed, points = self.changes[reader.taken]
        reader.taken += 1
        reader.live.apply(changed, points, offset)

    def _publish(self, reader: Reader, offset: int) -> None:
        reader.kept.append(Kept(reader.live.publish(offset), self.shown[offset]))

    @rule(which=st.integers(0, 5), back=st.integers(0, 2))
    def adopt(self, which: int, back: int) -> None:
        reader = self.readers[which % len(self.readers)]
        number = max(0, len(self.manifests) - 1 - back)
        manifest = self.manifests[number]
        # A manifest takes the place of those before it: nobody goes back to one. What a merge left out, it left out
        # because it was dead, which only later manifests say.
        if reader.live.view.offset >= manifest.usable_from and number >= reader.manifest:
            before = reader.live.view.offset
            view = reader.live.adopt(manifest.offset, manifest.segments)
            reader.manifest = number
            assert view.offset == before
            assert all(part.tail.rows_up_to(manifest.offset) == 0 for part in view.tails)
            reader.kept.append(Kept(view, self.shown[before]))

    @precondition(lambda self: len(self.readers) < 5)
    @rule()
    def begin_to_read(self) -> None:
        """As after a load: everything after the manifest's offset is read before anything is shown."""
        manifest = self.manifests[-1]
        live = LiveShard(SHARD, CONFIG, manifest.segments, manifest.offset)
        reader = Reader(live, 0, len(self.manifests) - 1)
        last = max(offset for offset in self.shown)
        for offset, changed, points in self.changes:
            if offset > last:
                break
            reader.taken += 1
            if offset > manifest.offset:
                live.apply(changed, points, offset)
        assert last >= manifest.usable_from
        self._publish(reader, last)
        self.readers.append(reader)

    @invariant()
    def readers_are_right(self) -> None:
        for reader in self.readers:
            check(Kept(reader.live.view, self.shown[reader.live.view.offset]))

    def teardown(self) -> None:
        for reader in self.readers:
            for kept in reader.kept:
                check(kept)


def _chosen(base: ShardView, chosen: Sequence[bool]) -> list[SegmentPart]:
    return [part for part, taken in zip(base.segments, chosen, strict=False) if taken]


def _points(view: ShardView) -> dict[PointId, Value]:
    found: dict[PointId, Value] = {}
    for part in view.parts:
        slots = np.flatnonzero(part.alive_mask())
        found.update((i, value_of(part, s)) for i, s in zip(part.ids_at(slots), slots.tolist(), strict=True))
    return found


class SmallTailsMachine(AdoptMachine):
    """The same with tails of few rows."""

    def __init__(self) -> None:
        self.few = few_rows()
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        self.few.close()


AdoptMachine.TestCase.settings = settings(max_examples=tries(60), stateful_step_count=40, deadline=None)
SmallTailsMachine.TestCase.settings = AdoptMachine.TestCase.settings
TestAdopt = AdoptMachine.TestCase
TestSmallTails = SmallTailsMachine.TestCase


def test_segments_ahead_of_the_view_are_refused() -> None:
    live = LiveShard(SHARD, CONFIG, [], 0)
    live.apply([PointId(1)], [stored(1, {0}, 1)], 1)
    live.publish(1)
    with pytest.raises(ValueError, match="behind segments at 2"):
        live.adopt(2, [])


def test_a_segment_that_is_there_stays_as_it_is() -> None:
    segment = MemorySegment(CONFIG, [(PointId(1), stored(1, {0}, 1)), (PointId(2), stored(1, {0}, 1))])
    live = LiveShard(SHARD, CONFIG, [(segment, nobody_dead(segment))], 0)
    live.apply([PointId(2), PointId(3)], [None, stored(2, {0}, 1)], 1)
    before = live.publish(1)
    sealed = MemorySegment(CONFIG, [(PointId(3), stored(2, {0}, 1))])
    view = live.adopt(1, [(segment, np.array([False, True])), (sealed, nobody_dead(sealed))])
    assert view.segments[0] is before.segments[0]
    assert view.tail_rows == 0
    check(Kept(view, _points(before)))


def test_what_is_staged_stays_unseen() -> None:
    live = LiveShard(SHARD, CONFIG, [], 0)
    old, new = PointId(1), PointId(2)
    live.apply([old], [stored(1, {0}, 1)], 1)
    before = live.publish(1)
    live.apply([old, new], [stored(2, {0}, 1), stored(3, {0}, 1)], 2)
    sealed = MemorySegment(CONFIG, [(old, stored(1, {0}, 1))])
    view = live.adopt(1, [(sealed, nobody_dead(sealed))])
    check(Kept(view, _points(before)))
    after = live.publish(2)
    expected: dict[PointId, Value] = {old: (2, {"a": (2.0, 3.0)}, b'{"n":2}'), new: (3, {"a": (3.0, 4.0)}, b'{"n":3}')}
    check(Kept(after, expected))
    assert located(after, old)[0] in after.tails


def test_a_point_that_died_and_came_back_after_the_manifest_is_there_once() -> None:
    live = LiveShard(SHARD, CONFIG, [], 0)
    point = PointId(1)
    live.apply([point], [stored(1, {0}, 1)], 1)
    live.publish(1)
    live.apply([point], [None], 2)
    live.publish(2)
    live.apply([point], [stored(2, {0}, 1)], 3)
    live.publish(3)
    sealed = MemorySegment(CONFIG, [(point, stored(1, {0}, 1))])
    view = live.adopt(1, [(sealed, nobody_dead(sealed))])
    check(Kept(view, {point: (2, {"a": (2.0, 3.0)}, b'{"n":2}')}))


def test_a_death_that_is_staged_does_not_wake_an_older_version() -> None:
    """Two segments come at once: one has the point as it was before the manifest, the other one as it is."""
    live = LiveShard(SHARD, CONFIG, [], 0)
    point = PointId(1)
    for version in (1, 2):
        live.apply([point], [stored(version, {0}, 1)], version)
        live.publish(version)
    before = live.view
    live.apply([point], [None], 3)
    older, newer = (MemorySegment(CONFIG, [(point, stored(version, {0}, 1))]) for version in (1, 2))
    view = live.adopt(2, [(older, np.array([True])), (newer, nobody_dead(newer))])
    check(Kept(view, _points(before)))
    check(Kept(live.publish(3), {}))


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_later_manifest_does_not_wake_what_died_before_an_earlier_one_was_taken(comes_back: bool) -> None:
    live = LiveShard(SHARD, CONFIG, [], 0)
    other, point = PointId(1), PointId(2)
    live.apply([other], [stored(1, {0}, 1)], 1)
    live.publish(1)
    live.apply([point], [stored(2, {0}, 1)], 2)
    live.publish(2)
    live.apply([point], [stored(3, {0}, 1) if comes_back else None], 3)
    before = live.publish(3)
    first = MemorySegment(CONFIG, [(other, stored(1, {0}, 1))])
    check(Kept(live.adopt(1, [(first, nobody_dead(first))]), _points(before)))
    second = MemorySegment(CONFIG, [(point, stored(2, {0}, 1))])
    named = [(first, nobody_dead(first)), (second, nobody_dead(second))]
    check(Kept(live.adopt(2, named), _points(before)))

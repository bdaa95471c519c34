"""Points in groups: the best few for each value that a payload key has."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

import msgspec

from query_api.combine.run import found, note_of
from query_api.combine.shards import Shards
from query_api.explain import NodeNote
from query_api.hits import Hit
from query_api.plan.leaves import Leaf
from query_api.plan.selection import PayloadInclude, Selection
from query_api.plan.tree import Diversify, GroupPlan, Node, RankFusion, ScoreFusion, narrowed
from query_api.points import FetchedPoint
from schemas.filters import (
    Condition,
    FieldCondition,
    Filter,
    HasId,
    IsEmpty,
    MatchExcept,
    MatchInteger,
    MatchKeyword,
)
from schemas.ids import PointId
from schemas.json_path import Path, elements_at
from schemas.validation import decode_payload

Value = int | str
Values = list[dict[Value, None]]
"""The values that each of some points has, in their order: so that equally good groups come in one order."""
_VALUES_US, _HIT_US = 5.0, 0.5
"""For reading a point's values, and for putting it into its groups."""
_AT_ONCE = 3
"""How many times the points that are lacking are asked for at once."""


@dataclass(slots=True)
class Group:
    """One value, and the best points that have it."""

    key: Value
    hits: list[Hit]


async def grouped(shards: Shards, plan: GroupPlan, note: NodeNote | None = None) -> list[Group]:
    """The groups of the best points, each in order; ``note`` gets an input for each time that is asked.

    Raises what the shards do.

    A point is in the group of every string and integer that it has at the path. Where the scores of points depend on
    what else is found, as in fusions, what is grouped is one answer; else what groups lack is asked for.
    """
    groups = _Groups(plan)
    root = narrowed(plan.root, Filter(must_not=(FieldCondition(plan.by, (IsEmpty(),)),)))
    if isinstance(root, RankFusion | ScoreFusion | Diversify):
        await groups.add(shards, await _asked(shards, _whole(root), note))
        return await groups.best(shards)
    if not await _enough_groups(shards, root, groups, note):
        return await groups.best(shards)
    if isinstance(root, Leaf):
        await _fill_together(shards, plan, root, groups, note)
    for group in await groups.best(shards):
        if len(group.hits) < plan.size and group.key not in groups.whole:
            condition = Filter(must=(FieldCondition(plan.by, (_equals(group.key),)),))
            whole = msgspec.structs.replace(narrowed(plan.root, condition), limit=plan.size)
            await groups.add(shards, await _asked(shards, whole, note), (group.key,))
    return await groups.best(shards)


async def _fill_together(shards: Shards, plan: GroupPlan, root: Leaf, groups: "_Groups", note: NodeNote | None) -> None:
    """Ask once for more points of all groups that are not full: most are, then, when groups are alike in size."""
    lacking = [group for group in await groups.best(shards) if len(group.hits) < plan.size]
    if len(lacking) < 2:
        return
    limit = plan.size * len(lacking) * _AT_ONCE
    condition = Filter(should=tuple(FieldCondition(plan.by, (_equals(group.key),)) for group in lacking))
    hits = await _asked(shards, msgspec.structs.replace(narrowed(root, condition), limit=limit), note)
    keys = frozenset(group.key for group in lacking)
    await groups.add(shards, hits, keys)
    if len(hits) < limit:
        groups.whole |= keys


async def _asked(shards: Shards, node: Node, note: NodeNote | None) -> list[Hit]:
    if note is None:
        return await found(shards, node)
    mine = note_of(node)
    note.inputs.append(mine)
    return await found(shards, node, mine)


def _whole(root: RankFusion | ScoreFusion | Diversify) -> Node:
    """All that a fusion's inputs find; what is diverse depends on how many are chosen."""
    if isinstance(root, Diversify):
        return root
    return msgspec.structs.replace(root, limit=sum(node.limit for node in root.inputs))


async def _enough_groups(shards: Shards, root: Node, groups: "_Groups", note: NodeNote | None) -> bool:
    """Ask until there are as many groups as wanted; whether there may be more points in them."""
    hits = await _asked(shards, root, note)
    more = await groups.add(shards, hits)
    if isinstance(root, Leaf) and len(hits) < root.limit:
        return False
    while more and len(groups) < groups.wanted:
        more = await groups.add(shards, await _asked(shards, narrowed(root, groups.beyond()), note))
    return True


@dataclass(slots=True)
class _Groups:
    """The groups so far."""

    plan: GroupPlan
    _groups: dict[Value, dict[PointId, Hit]] = field(default_factory=dict[Value, dict[PointId, Hit]])
    _seen: set[PointId] = field(default_factory=set[PointId])
    whole: set[Value] = field(default_factory=set[Value])
    """Groups that have all points that there are."""

    def __len__(self) -> int:
        return len(self._groups)

    @property
    def wanted(self) -> int:
        return self.plan.groups

    async def add(self, shards: Shards, hits: Sequence[Hit], only: Container[Value] | None = None) -> bool:
        """Put points into their groups; whether any was not there before."""
        values: Values = [{} for _ in hits]
        # What is kept of a payload can't be said by a place in an array; nothing is grouped by one, as in Qdrant.
        if not any(isinstance(step, int) for step in self.plan.by.steps):
            points = await shards.fetch(hits, Selection(with_payload=PayloadInclude((self.plan.by,))))
            values = await shards.compute(lambda: _values(points, self.plan.by), len(hits) * _VALUES_US)
        return await shards.compute(lambda: self._put(hits, values, only), len(hits) * _HIT_US)

    def _put(self, hits: Sequence[Hit], values: Values, only: Container[Value] | None) -> bool:
        new = False
        for hit, some in zip(hits, values, strict=True):
            new = new or hit.id not in self._seen
            self._seen.add(hit.id)
            for value in some:
                if only is None or value in only:
                    self._groups.setdefault(value, {}).setdefault(hit.id, hit)
        return new

    async def best(self, shards: Shards) -> list[Group]:
        """The groups so far, in order, each with its best points."""
        return await shards.compute(self._best, sum(map(len, self._groups.values())) * _HIT_US)

    def _best(self) -> list[Group]:
        groups = [Group(key, sorted(hits.values())[: self.plan.size]) for key, hits in self._groups.items()]
        groups.sort(key=lambda group: group.hits[0])
        return groups[: self.plan.groups]

    def beyond(self) -> Filter:
        """What has a value that no group is of yet."""
        by = self.plan.by
        texts = frozenset(value for value in self._groups if isinstance(value, str))
        numbers = frozenset(value for value in self._groups if isinstance(value, int))
        tests: tuple[Condition, ...] = tuple(
            FieldCondition(by, (MatchExcept(values),)) for values in (texts, numbers) if values
        )
        return Filter(must=tests, must_not=(HasId(frozenset(self._seen)),))


def _values(points: Sequence[FetchedPoint], by: Path) -> Values:
    return [_keys(elements_at(decode_payload(point.payload or b""), by)) for point in points]


def _keys(elements: Sequence[object]) -> dict[Value, None]:
    return {value: None for value in elements if isinstance(value, str | int) and not isinstance(value, bool)}


def _equals(value: Value) -> MatchKeyword | MatchInteger:
    return MatchKeyword(value) if isinstance(value, str) else MatchInteger(value)

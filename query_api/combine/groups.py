"""Points in groups: the best few for each value that a payload key has."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

import msgspec

from query_api.combine.run import found, note_of
from query_api.combine.shards import Shards
from query_api.explain import NodeNote
from query_api.hits import Hit
from query_api.plan.leaves import Leaf
from query_api.plan.tree import Diversify, GroupPlan, Node, RankFusion, ScoreFusion, narrowed
from query_api.points import Value, Values
from schemas.filters import (
    FieldCondition,
    Filter,
    HasId,
    IsEmpty,
    MatchAny,
    MatchExcept,
)
from schemas.ids import PointId
from schemas.json_path import Path

_HIT_US = 0.5
"""For putting a point into its groups."""
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
            condition = Filter(must=(FieldCondition(plan.by, (MatchAny(frozenset((group.key,))),)),))
            whole = msgspec.structs.replace(narrowed(plan.root, condition), limit=plan.size)
            await groups.add(shards, await _asked(shards, whole, note), (group.key,))
    return await groups.best(shards)


async def _fill_together(shards: Shards, plan: GroupPlan, root: Leaf, groups: "_Groups", note: NodeNote | None) -> None:
    """Ask once for more points of all groups that are not full: most are, then, when groups are alike in size."""
    lacking = [group for group in await groups.best(shards) if len(group.hits) < plan.size]
    if len(lacking) < 2:
        return
    limit = plan.size * len(lacking) * _AT_ONCE
    keys = frozenset(group.key for group in lacking)
    tests = tuple(MatchAny(values) for values in _by_type(keys))
    condition = Filter(must=(FieldCondition(plan.by, tests),))
    hits = await _asked(shards, msgspec.structs.replace(narrowed(root, condition), limit=limit), note)
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
        more = await groups.add_beyond(shards, await _asked(shards, narrowed(root, groups.beyond()), note))
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

    async def add(
        self, shards: Shards, hits: Sequence[Hit], only: Container[Value] | None = None, but: Container[Value] = ()
    ) -> bool:
        """Put points into their groups, of these values ``only`` and of all ``but`` those.

        Returns whether any point was not there before.
        """
        values = await _values(shards, hits, self.plan.by)
        return await shards.compute(lambda: self._put(hits, values, only, but), len(hits) * _HIT_US)

    async def add_beyond(self, shards: Shards, hits: Sequence[Hit]) -> bool:
        """As ``add``, for what was asked for by ``beyond``.

        A point may have values of groups that are there, too. It is none of their best as far as is known: what is
        better there, and has no other value, was not asked for.
        """
        return await self.add(shards, hits, but=frozenset(self._groups))

    def _put(
        self, hits: Sequence[Hit], values: Sequence[Values], only: Container[Value] | None, but: Container[Value]
    ) -> bool:
        new = False
        for hit, some in zip(hits, values, strict=True):
            new = new or hit.id not in self._seen
            self._seen.add(hit.id)
            for value in some:
                if (only is None or value in only) and value not in but:
                    self._groups.setdefault(value, {}).setdefault(hit.id, hit)
        return new

    async def best(self, shards: Shards) -> list[Group]:
        """The groups so far, in order, each with its best points."""
        return await shards.compute(self._best, sum(map(len, self._groups.values())) * _HIT_US)

    def _best(self) -> list[Group]:
        firsts = [(min(hits.values()), key) for key, hits in self._groups.items()]
        firsts.sort(key=itemgetter(0))
        size = self.plan.size
        return [Group(key, sorted(self._groups[key].values())[:size]) for _, key in firsts[: self.plan.groups]]

    def beyond(self) -> Filter:
        """What has a value that no group is of yet."""
        tests = tuple(FieldCondition(self.plan.by, (MatchExcept(values),)) for values in _by_type(self._groups))
        return Filter(must=tests, must_not=(HasId(frozenset(self._seen)),))


async def _values(shards: Shards, hits: Sequence[Hit], by: Path) -> list[Values]:
    """The values that each point has, in their order: so that equally good groups come in one order."""
    # Nothing is grouped by a place in an array, as in Qdrant.
    if any(isinstance(step, int) for step in by.steps):
        return [()] * len(hits)
    return await shards.values(hits, by)


def _by_type(values: Iterable[Value]) -> list[frozenset[Value]]:
    """The strings among some values, and the integers, as conditions take them; none that are none."""
    some = list(values)
    texts: frozenset[Value] = frozenset(value for value in some if isinstance(value, str))
    numbers: frozenset[Value] = frozenset(value for value in some if isinstance(value, int))
    return [found for found in (texts, numbers) if found]

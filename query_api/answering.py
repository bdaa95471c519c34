"""Queries answered: planned, run, fetched and rendered."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import msgspec
from numpy.typing import NDArray

from query_api.combine.groups import grouped
from query_api.combine.run import note_of, run
from query_api.explain import Clock, Explanation, NodeNote
from query_api.hits import Hit
from query_api.lookup import Lookup
from query_api.plan.examples import NOTHING_KNOWN, Known, Reference, lookups, names_no_points, references
from query_api.plan.fields import check_name, vector_values
from query_api.plan.query import to_group_plan, to_plan
from query_api.plan.selection import Selection
from query_api.points import FetchedPoint
from query_api.reading import Reader, Reading
from query_api.strict import check_batch, check_group_by, check_query
from query_api.together import together
from schemas.errors import UnprocessableError
from schemas.rest.groups import QueryGroupsRequest
from schemas.rest.queries import Prefetch, QueryRequest
from schemas.rest.reads import DEFAULT_LIMIT, WithVector
from schemas.rest.responses import GroupsResult, PointGroup, ScoredPointResult

TOGETHER = 8
"""So many queries of a batch are answered at a time: enough for all cores to have something to do."""


class Answering:
    """Answers queries over collections that a reader opens."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._limits = reader.limits

    async def answer(
        self, reading: Reading, request: QueryRequest, explained: list[Explanation] | None = None
    ) -> list[ScoredPointResult]:
        """What a query answers; how goes to ``explained``. Raises what planning and the shards do."""
        clock = None if explained is None else Clock()
        known = NOTHING_KNOWN if names_no_points(request) else await self._known(reading, request)
        plan = to_plan(reading.config, request, known, self._limits)
        if reading.config.strict is not None:
            check_query(reading.config, request, plan.root, request.limit or DEFAULT_LIMIT)
        if request.with_vector:
            self.check_vectors(reading, request.limit or DEFAULT_LIMIT, request.with_vector)
        if explained is None or clock is None:
            hits = await run(reading.shards, plan)
            return await self._scored(reading, hits, await reading.shards.fetch(hits, plan.selection))
        note = note_of(plan.root)
        clock.planned()
        hits = await run(reading.shards, plan, note)
        clock.found()
        points = await reading.shards.fetch(hits, plan.selection)
        clock.fetched()
        rendered = await self._scored(reading, hits, points)
        explained.append(clock.explanation(note))
        return rendered

    async def _scored(
        self, reading: Reading, hits: Sequence[Hit], points: Sequence[FetchedPoint]
    ) -> list[ScoredPointResult]:
        rendering, budget = reading.rendering, reading.budget
        spent = rendering.us(points)
        if budget.covers(spent):
            return rendering.scored(hits, points)
        return await budget.run(lambda _: rendering.scored(hits, points), spent)

    async def answer_groups(
        self, reading: Reading, request: QueryGroupsRequest, explained: list[Explanation] | None = None
    ) -> GroupsResult:
        """What a query answers in groups. Raises as ``answer``, NotFoundError for a lookup's collection."""
        clock = Clock()
        known = NOTHING_KNOWN if names_no_points(request) else await self._known(reading, request)
        plan = to_group_plan(reading.config, request, known, self._limits)
        check_query(reading.config, request, plan.root, plan.groups * plan.size)
        check_group_by(reading.config, plan.by)
        self.check_vectors(reading, plan.groups * plan.size, request.with_vector)
        lookup = None if request.with_lookup is None else Lookup(self._reader, reading, request.with_lookup)
        note = None if explained is None else NodeNote("groups", plan.groups, parts=[], inputs=[])
        clock.planned()
        groups = await grouped(reading.shards, plan, note)
        clock.found()
        hits = [hit for group in groups for hit in group.hits]
        points = await reading.shards.fetch(hits, plan.selection)
        clock.fetched()
        rendered = await self._scored(reading, hits, points)
        there = {} if lookup is None else await lookup.points([group.key for group in groups])
        rest = iter(rendered)
        result = GroupsResult(
            [
                PointGroup([*islice(rest, len(group.hits))], group.key, there.get(group.key, msgspec.UNSET))
                for group in groups
            ]
        )
        if explained is not None and note is not None:
            note.found = len(hits)
            explained.append(clock.explanation(note))
        return result

    async def answer_all(
        self, asked: Sequence[tuple[Reading, QueryRequest]], explained: list[Explanation] | None = None
    ) -> list[list[ScoredPointResult]]:
        """What each of a batch's queries answers, of the shards that it is about. Raises as ``answer``."""
        limits, requests = self._limits, [request for _, request in asked]
        if len(requests) > limits.max_queries:
            raise UnprocessableError(
                f"Validation error in JSON body: [searches: at most {limits.max_queries}, not {len(requests)}]"
            )
        for reading, _ in asked[:1]:
            check_batch(reading.config, len(requests))
            self._reader.count(reading, len(requests) - 1)
        limits.check_batch_results(sum((r.limit or DEFAULT_LIMIT) + (r.offset or 0) for r in requests))
        limits.check_vector_values(
            sum(
                vector_values(reading.config, min(r.limit or DEFAULT_LIMIT, reading.shards.points), r.with_vector)
                for reading, r in asked
            )
        )
        notes: list[list[Explanation] | None] = [None if explained is None else [] for _ in asked]
        answers = await together(
            [partial(self.answer, *one, note) for one, note in zip(asked, notes, strict=True)], TOGETHER
        )
        if explained is not None:
            explained += [explanation for note in notes for explanation in note or ()]
        return answers

    def check_vectors(self, reading: Reading, points: int, asked: WithVector | None) -> None:
        """Raise UnprocessableError when so many points' vectors would have more numbers than an answer may."""
        if asked:
            values = vector_values(reading.config, min(points, reading.shards.points), asked)
            self._limits.check_vector_values(values)

    async def _known(self, reading: Reading, request: Prefetch) -> Known:
        """The vectors that a query and its prefetches name by id.

        Raises BadInputError, NotFoundError for a collection that isn't there.
        """
        there = {collection: self._reader.other(collection, reading.budget) for collection in lookups(request)}
        own = frozenset(collection for collection, other in there.items() if other.uid == reading.uid)
        named = set(references(request))
        return Known(await self._vectors(reading, named) if named else {}, own)

    async def _vectors(self, reading: Reading, named: Iterable[Reference]) -> dict[Reference, NDArray[Any] | None]:
        """The vectors of the points that there are."""
        places: dict[tuple[str | None, str], list[Reference]] = {}
        for reference in named:
            places.setdefault((reference.collection, reference.name), []).append(reference)
        known: dict[Reference, NDArray[Any] | None] = {}
        for (collection, name), some in places.items():
            where = reading if collection is None else self._reader.other(collection, reading.budget)
            check_name(where.config, name)
            points = await where.shards.get([r.id for r in some], Selection(with_payload=False, with_vector=(name,)))
            for reference in some:
                if point := points.get(reference.id):
                    known[reference] = (point.vectors or {}).get(name)
        return known

"""Queries answered: planned, run, fetched and rendered."""

from collections.abc import Sequence

from ingest.http.limits import Limits
from query_api.combine.run import run
from query_api.plan.fields import vector_values
from query_api.plan.query import examples_of, to_plan
from query_api.plan.selection import Selection
from query_api.reading import Reading
from query_api.rendering import render_scored, render_us
from schemas.errors import UnprocessableError
from schemas.rest.reads import DEFAULT_LIMIT, QueryRequest, WithVector
from schemas.rest.responses import ScoredPointResult


async def answer(reading: Reading, request: QueryRequest, limits: Limits) -> list[ScoredPointResult]:
    """What a query answers. Raises what planning and the shards do."""
    config, shards = reading.config, reading.shards
    ids = examples_of(request)
    names = Selection(with_payload=False, with_vector=True)
    examples = await shards.get(ids, names) if ids else {}
    plan = to_plan(config, request, examples, limits)
    check_vectors(reading, request.limit or DEFAULT_LIMIT, request.with_vector, limits)
    hits = await run(shards, plan)
    points = await shards.fetch(hits, plan.selection)
    return await reading.budget.run(lambda _: render_scored(hits, points), render_us(points))


async def answer_all(
    reading: Reading, requests: Sequence[QueryRequest], limits: Limits
) -> list[list[ScoredPointResult]]:
    """What each of a batch's queries answers. Raises as ``answer``."""
    if len(requests) > limits.max_queries:
        raise UnprocessableError(
            f"Validation error in JSON body: [searches: at most {limits.max_queries}, not {len(requests)}]"
        )
    limits.check_batch_results(sum((r.limit or DEFAULT_LIMIT) + (r.offset or 0) for r in requests))
    there = reading.shards.points
    limits.check_vector_values(
        sum(vector_values(reading.config, min(r.limit or DEFAULT_LIMIT, there), r.with_vector) for r in requests)
    )
    return [await answer(reading, request, limits) for request in requests]


def check_vectors(reading: Reading, points: int, asked: WithVector | None, limits: Limits) -> None:
    """Raise UnprocessableError when the vectors of so many points would have more numbers than an answer may."""
    if asked:
        limits.check_vector_values(vector_values(reading.config, min(points, reading.shards.points), asked))

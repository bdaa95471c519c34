"""Shards whose views are in this process."""

from collections.abc import Mapping, Sequence

from ingest.ports import StoredSize
from projector.view.shard_view import ShardView
from projector.view.size import size_of
from query_api.budget import Allowance, Budget
from query_api.explain import Notes
from query_api.fetch.fetch import fetch, fetch_us
from query_api.fetch.values import VALUE_US, values_of
from query_api.fetch.values import size as values_size
from query_api.find.count import count_passing
from query_api.find.facet import count_values, facet_us
from query_api.find.kinds import filter_us, prepare
from query_api.find.noting import noted
from query_api.find.terms import count_terms, count_terms_us
from query_api.hits import Hit
from query_api.plan.facet import Facet, FacetValue
from query_api.plan.leaves import Leaf
from query_api.plan.selection import Selection
from query_api.plan.terms import CountTerms
from query_api.points import FetchedPoint, Values
from schemas.filters import Filter
from schemas.json_path import Path
from schemas.vectors.idf import TermCounts


class LocalShard:
    """Implements ``query_api.ports.Shard`` over one view."""

    def __init__(self, view: ShardView) -> None:
        self._view = view

    @property
    def points(self) -> int:
        """How many points there are."""
        return self._view.count

    def size(self) -> StoredSize:
        """How much there is."""
        return size_of(self._view)

    async def find(self, leaf: Leaf, budget: Budget, notes: Notes | None = None) -> list[Hit]:
        """What ``leaf`` asks for."""
        work = prepare(self._view, leaf)
        if notes is not None:
            # What is done ahead would be missing in the time that its part took.
            run = noted(self._view, leaf, work.run, notes)
        else:
            run = work.run
            if work.ahead:
                await budget.ahead(work.ahead)
        spent = work.us
        for ahead in work.ahead:
            spent += ahead.us
        return await budget.run(run, spent)

    async def fetch(self, hits: Sequence[Hit], selection: Selection, budget: Budget) -> list[FetchedPoint]:
        """The points that this shard found."""
        view, left, spent = self._view, budget.bytes_left, fetch_us(self._view, hits, selection)
        if budget.covers(spent):
            points, taken = fetch(view, hits, selection, left)
        else:
            points, taken = await budget.run(lambda _: fetch(view, hits, selection, left), spent)
        budget.answer(len(points), taken)
        return points

    async def values(self, hits: Sequence[Hit], by: Path, budget: Budget) -> list[Values]:
        """What points that this shard found have at a path."""
        view = self._view

        def read_and_weigh(allowance: Allowance) -> tuple[list[Values], int]:
            found = values_of(view, hits, by, allowance)
            return found, values_size(found)

        found, taken = await budget.run(read_and_weigh, len(hits) * VALUE_US)
        budget.answer(0, taken)
        return found

    async def term_counts(self, asked: CountTerms, budget: Budget) -> TermCounts:
        """How many vectors have each of some indices."""
        view = self._view
        return await budget.run(lambda _: count_terms(view, asked), count_terms_us(view, asked))

    async def facet(self, facet: Facet, budget: Budget) -> Mapping[FacetValue, int]:
        """How many points have each value of a payload key."""
        view = self._view
        return await budget.run(lambda allowance: count_values(view, facet, allowance), facet_us(view, facet))

    async def count(self, filter: Filter | None, budget: Budget) -> int:
        """How many points pass."""
        view = self._view
        return await budget.run(lambda _: count_passing(view, filter), filter_us(view, filter))

"""Finding with notes of how it was done in every part."""

from collections.abc import Callable

from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.explain import Notes
from query_api.find.selection import passing
from query_api.hits import Hit
from query_api.plan.leaves import Compared, Leaf, Nearest

Run = Callable[[Allowance], list[Hit]]


def noted(view: ShardView, leaf: Leaf, run: Run, notes: Notes) -> Run:
    """The same work, which tells ``notes`` about every part of the view."""

    def work(allowance: Allowance) -> list[Hit]:
        notes.clear()
        allowance.notes = notes
        hits = run(allowance)
        notes.end()
        told = {note.part for note in notes.parts}
        for part in view.parts:
            if part.name not in told:
                notes.begin(part.name, part.alive_count)
                _tell(notes, part, leaf)
        notes.end()
        return hits

    return work


def _tell(notes: Notes, part: Part, leaf: Leaf) -> None:
    if isinstance(leaf, Nearest | Compared):
        notes.say("skipped", "no vector here may be found")
    elif leaf.filter is None:
        notes.say("columns", "nothing is compared", part.alive_count)
    else:
        notes.say("columns", "what passes the filter", len(passing(part, leaf.filter).found(part)))

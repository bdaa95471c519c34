"""Plans: a query as a tree. Leaves find candidates in shards, inner nodes combine them."""

import msgspec

from query_api.plan.leaves import Nearest, Points, Scroll
from query_api.plan.selection import Selection

Node = Nearest | Points | Scroll


class Plan(msgspec.Struct, frozen=True):
    """What to answer: what ``root`` finds after the first ``offset``, fetched as ``selection`` says."""

    root: Node
    offset: int
    selection: Selection

"""A part of a view in which the nearest of one vector name are sought."""

from typing import NamedTuple

from projector.segments.graph import Graph
from projector.view.part import Part, Vectors
from query_api.find.selection import Findable


class Target(NamedTuple):
    """A part's vectors, and which of them may be ``found``: at least one. ``place``: that of the part's first slot."""

    part: Part
    place: int
    vectors: Vectors
    found: Findable
    graph: Graph | None

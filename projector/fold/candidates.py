"""Candidates: where the points are that a filter matches, from whoever has columns of them."""

from collections.abc import Sequence

from schemas.ids import PointId

Candidates = Sequence[PointId] | None
"""Ids in ascending order, among them those of all points that an operation's filter matches; None: not known.

They say where to look, never what passes: that the evaluator says of every stored point. So the fold gives the same
with them and without.
"""

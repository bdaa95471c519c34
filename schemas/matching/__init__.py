"""The reference evaluator of filters.

What it says is what a filter means; faster evaluators are held equal to it by a property test.
"""

from schemas.matching.binding import bind
from schemas.matching.evaluator import EVALUATOR_VERSION, Candidate, matches
from schemas.matching.field_tests import element_passes, passes

__all__ = ["EVALUATOR_VERSION", "Candidate", "bind", "element_passes", "matches", "passes"]

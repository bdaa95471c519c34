"""The outcomes that the fold gives by itself."""

from schemas.errors import HeadwaterError
from schemas.operations import Outcome

APPLIED = Outcome()
SKIPPED = Outcome(reason="Skipped: an earlier operation of the same record was rejected", status=400)
GONE = Outcome(reason="Not found: the collection doesn't exist any more", status=404)


def rejected(reason: HeadwaterError) -> Outcome:
    """The outcome of an operation that breaks a rule."""
    return Outcome(reason=reason.message, status=reason.status)

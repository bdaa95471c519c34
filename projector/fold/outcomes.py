"""The outcomes that the fold gives by itself."""

from schemas.errors import HeadwaterError
from schemas.operations import Outcome

APPLIED = Outcome()
SKIPPED = Outcome(reason="Skipped: an earlier operation of the same record was rejected", status=400)
GONE = Outcome(reason="Not found: the collection doesn't exist any more", status=404)


LONGEST_REASON = 1000
"""Characters: reasons quote what was sent, which may be of any length, and are kept, and put into headers."""


def rejected(reason: HeadwaterError) -> Outcome:
    """The outcome of an operation that breaks a rule."""
    message = reason.message
    if len(message) > LONGEST_REASON:
        message = f"{message[:LONGEST_REASON]}..."
    return Outcome(reason=message, status=reason.status)

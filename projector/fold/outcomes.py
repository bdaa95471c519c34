"""The outcomes that the fold gives by itself."""

from schemas.operations import Outcome

APPLIED = Outcome()
SKIPPED = Outcome(reason="Skipped: an earlier operation of the same record was rejected", status=400)
TOO_EARLY = Outcome(reason="Not found: the collection didn't exist yet when this was written", status=404)
GONE = Outcome(reason="Not found: the collection doesn't exist any more", status=404)

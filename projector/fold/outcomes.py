"""The outcomes that the fold gives by itself."""

from schemas.operations import Outcome

APPLIED = Outcome()
SKIPPED = Outcome(reason="Skipped: an earlier operation of the same record was rejected", status=400)
GONE = Outcome(reason="Not found: the collection doesn't exist any more", status=404)

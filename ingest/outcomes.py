"""Errors as rejected outcomes, and those as the errors they were."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from ingest.log import LogRecord
from schemas.errors import (
    BadInputError,
    ConflictError,
    HeadwaterError,
    NotFoundError,
    TimedOutError,
    TooLargeError,
    UnprocessableError,
)
from schemas.operations import Outcome

_KINDS: dict[int, type[HeadwaterError]] = {
    kind.status: kind
    for kind in (BadInputError, NotFoundError, TimedOutError, ConflictError, TooLargeError, UnprocessableError)
}

LONGEST_REASON = 1000
"""Characters: reasons quote what was sent, which may be of any length, and are kept, and put into headers."""


class Rejection(NamedTuple):
    """A record that could not be applied, or not wholly; one of ``outcomes``, those of its operations, says why."""

    record: LogRecord
    outcomes: Sequence[Outcome]


Reject = Callable[[Sequence[Rejection]], Awaitable[None]]
"""Puts records that could not be applied where their producers find them; returns once they are durable there."""


def rejected(reason: HeadwaterError) -> Outcome:
    """The outcome of what breaks a rule."""
    message = reason.message
    if len(message) > LONGEST_REASON:
        message = f"{message[:LONGEST_REASON]}..."
    return Outcome(reason=message, status=reason.status)


def raise_rejected(outcomes: Sequence[Outcome]) -> None:
    """Raise the error of the first outcome that is a rejection, if one is."""
    for outcome in outcomes:
        if outcome.reason is not None:
            raise _KINDS.get(outcome.status, BadInputError)(outcome.reason)

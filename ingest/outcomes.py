"""Rejected outcomes as the errors they were."""

from collections.abc import Sequence

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


def raise_rejected(outcomes: Sequence[Outcome]) -> None:
    """Raise the error of the first outcome that is a rejection, if one is."""
    for outcome in outcomes:
        if outcome.reason is not None:
            raise _KINDS.get(outcome.status, BadInputError)(outcome.reason)

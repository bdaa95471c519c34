"""What can be wrong with a request or a record, as one family of exceptions.

A route answers them in Qdrant's error shape with ``status``; the fold turns them into rejected outcomes.
"""


class HeadwaterError(Exception):
    """A reason that a user can act on. ``status`` is the HTTP status it is answered with.

    ``retry_after``: seconds after which the same may succeed, None where waiting doesn't help.
    """

    status = 500
    retry_after: int | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadInputError(HeadwaterError):
    """The input is wrong, whatever the state is."""

    status = 400


class UnprocessableError(HeadwaterError):
    """The input is well formed, but a value breaks a rule (Qdrant's validation errors)."""

    status = 422


class NotFoundError(HeadwaterError):
    """A collection, alias or point that isn't there."""

    status = 404


class ConflictError(HeadwaterError):
    """It is there already."""

    status = 409


class TooLargeError(HeadwaterError):
    """The request is larger than the limits allow."""

    status = 413


class TimedOutError(HeadwaterError):
    """Accepted, but not visible within the time the client gave."""

    status = 408


class OverloadedError(HeadwaterError):
    """Too much work in flight; trying again later helps."""

    status = 429
    retry_after = 1


class RateLimitedError(OverloadedError):
    """More requests than a collection allows in a minute."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InsufficientStorageError(HeadwaterError):
    """The disk doesn't take what is to be written: it is full, read-only or failing."""

    status = 507
    retry_after = 1


class UnavailableError(HeadwaterError):
    """The log can't be written now, or the views have not caught up; trying again later helps."""

    status = 503
    retry_after = 1

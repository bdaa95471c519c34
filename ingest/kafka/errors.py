"""What can be wrong with Kafka, beyond the errors of the Log port."""

from aiokafka.errors import (
    BrokerResponseError,
    InvalidTimestampError,
    KafkaError,
    PolicyViolationError,
    TopicAuthorizationFailedError,
    UnknownError,
    for_code,
)

from ingest.log import LogUnavailableError


class KafkaTopicError(Exception):
    """A topic is not what a log needs: it is missing, or its settings would lose records. Says what to do."""


class InvalidRecordError(BrokerResponseError):
    """The broker's checks of a record failed. aiokafka doesn't know the code."""

    errno = 87
    message = "INVALID_RECORD"
    description = "Error code 87: as it is where the topic is compacted, since records have no key"


REFUSALS = (InvalidRecordError, InvalidTimestampError, PolicyViolationError, TopicAuthorizationFailedError)
"""A broker that answers a write so has not written it."""


def error_of(code: int, what: str) -> BrokerResponseError:
    """The error that a broker answered, about ``what``."""
    if code == InvalidRecordError.errno:
        return InvalidRecordError(f"{what}. {InvalidRecordError.description}")
    error = for_code(code)
    return error(f"{what}, error code {code}" if error is UnknownError else what)


def describe(error: Exception) -> str:
    """What went wrong, for a person; many of these errors have no text of their own."""
    text = str(error)
    return text if type(error).__name__ in text else f"{type(error).__name__}: {text}".rstrip(": ")


def unavailable(what: str, error: KafkaError) -> LogUnavailableError:
    """The error for ``what`` that Kafka did not do."""
    return LogUnavailableError(f"{what}: {describe(error)}")

"""What can be wrong with Kafka, beyond the errors of the Log port."""

from aiokafka.errors import KafkaError

from ingest.log import LogUnavailableError


class KafkaTopicError(Exception):
    """A topic is not what a log needs: it is missing, or its settings would lose records. Says what to do."""


def describe(error: KafkaError) -> str:
    """What went wrong, for a person; many of these errors have no text of their own."""
    text = str(error)
    return text if type(error).__name__ in text else f"{type(error).__name__}: {text}".rstrip(": ")


def unavailable(what: str, error: KafkaError) -> LogUnavailableError:
    """The error for ``what`` that Kafka did not do."""
    return LogUnavailableError(f"{what}: {describe(error)}")

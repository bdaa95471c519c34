"""The Kafka log: topics of a Kafka cluster behind the Log port."""

from typing import TYPE_CHECKING, Any

from ingest.kafka.settings import KafkaSettings

if TYPE_CHECKING:
    from ingest.kafka.errors import KafkaTopicError
    from ingest.kafka.log import KafkaLog

__all__ = ["KafkaLog", "KafkaSettings", "KafkaTopicError"]


def __getattr__(name: str) -> Any:
    # The settings of every process name KafkaSettings; the embedded server starts sooner without Kafka's client.
    if name == "KafkaLog":
        from ingest.kafka.log import KafkaLog

        return KafkaLog
    if name == "KafkaTopicError":
        from ingest.kafka.errors import KafkaTopicError

        return KafkaTopicError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

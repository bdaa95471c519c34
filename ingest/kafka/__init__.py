"""The Kafka log: topics of a Kafka cluster behind the Log port."""

from ingest.kafka.errors import KafkaTopicError
from ingest.kafka.log import KafkaLog
from ingest.kafka.settings import KafkaSettings

__all__ = ["KafkaLog", "KafkaSettings", "KafkaTopicError"]

"""A real Kafka broker without Docker: Apache's own jars, resolved by Maven, on the Java that is installed."""

from compose.kafka.broker import BrokerError, KafkaBroker
from compose.kafka.jars import MissingToolError

__all__ = ["BrokerError", "KafkaBroker", "MissingToolError"]

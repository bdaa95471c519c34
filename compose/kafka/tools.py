"""Kafka's own command-line tools, from the same jars as the broker."""

import os
from collections.abc import Sequence

from compose.kafka.jars import find_java, kafka_jars

TOOLS = {
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
}
"""The scripts of Kafka's ``bin`` folder that are of use here, and the class each of them runs."""

_OPTIONS = ("-Xmx256m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


def run_tool(name: str, arguments: Sequence[str]) -> None:
    """Become the tool ``name``, one of TOOLS. Returns never. Raises MissingToolError, FetchError."""
    java = str(find_java())
    os.execv(java, [java, *_OPTIONS, "-cp", f"{kafka_jars()}/*", TOOLS[name], *arguments])

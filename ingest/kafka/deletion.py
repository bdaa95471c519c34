"""Deleting the oldest records of topics, for good."""

from collections.abc import Mapping

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from ingest.kafka.connection import Connection
from ingest.kafka.settings import KafkaSettings
from ingest.log import Topic


async def delete_before(settings: KafkaSettings, offsets: Mapping[tuple[Topic, int], int]) -> None:
    """Delete the records below these offsets: (topic, partition) -> offset. Raises LogUnavailableError.

    Where it fails some partitions may be done; it may be tried again.
    """
    doomed = {TopicPartition(settings.topic(t), p): RecordsToDelete(offset) for (t, p), offset in offsets.items()}
    connection = await Connection.open(settings)
    try:
        admin = AIOKafkaAdminClient(**settings.client_arguments())
        await connection.retried(admin.start, f"Kafka can't be reached at {settings.bootstrap_servers}")
        try:
            await connection.retried(lambda: admin.delete_records(doomed), "records could not be deleted")
        finally:
            await admin.close()
    finally:
        await connection.close()

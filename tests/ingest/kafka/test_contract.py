"""The Kafka log keeps what the Log port promises."""

import pytest

from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import Log
from tests.ingest.log_contract import LogContract, OpenLog

pytestmark = pytest.mark.kafka


class TestKafkaLog(LogContract):
    @pytest.fixture
    def open_log(self, kafka_settings: KafkaSettings) -> OpenLog:
        async def open_it(
            partitions: int | None = None,
            *,
            max_record_bytes: int = kafka_settings.max_record_bytes,
            queue_bytes: int = kafka_settings.queue_bytes,
        ) -> Log:
            options = {"partitions": partitions, "max_record_bytes": max_record_bytes, "queue_bytes": queue_bytes}
            return await KafkaLog.open(kafka_settings.model_copy(update=options))

        return open_it

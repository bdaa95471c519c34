"""The embedded log keeps what the Log port promises."""

from pathlib import Path

import pytest

from ingest.embedded import EmbeddedLog
from ingest.embedded.log import MAX_RECORD_BYTES, QUEUE_BYTES
from ingest.log import Log
from tests.ingest.embedded.support import QUICK
from tests.ingest.log_contract import LogContract, OpenLog


class TestEmbeddedLog(LogContract):
    @pytest.fixture
    def open_log(self, tmp_path: Path) -> OpenLog:
        async def open_it(
            partitions: int | None = None,
            *,
            max_record_bytes: int = MAX_RECORD_BYTES,
            queue_bytes: int = QUEUE_BYTES,
        ) -> Log:
            return await EmbeddedLog.open(
                tmp_path, partitions, max_record_bytes=max_record_bytes, queue_bytes=queue_bytes, disk=QUICK
            )

        return open_it

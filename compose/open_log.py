"""The log that the settings speak of, for commands: in Kafka, or in the data folder."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from compose.settings import DataFolder, Settings
from ingest.log import Log


@asynccontextmanager
async def open_log(settings: Settings, *, write: bool = False) -> AsyncGenerator[Log]:
    """The log, which must be there; closed at the end.

    An embedded log is opened read-only, beside the server that writes it, unless ``write``: then it is locked. Raises
    KafkaTopicError, LogUnavailableError, LogDamagedError.
    """
    log = await _open(settings, write)
    try:
        yield log
    finally:
        await log.close()


async def _open(settings: Settings, write: bool) -> Log:
    if settings.kafka is not None:
        from ingest.kafka import KafkaLog

        return await KafkaLog.open(settings.kafka, create=False)
    from ingest.embedded.log import EmbeddedLog

    return await EmbeddedLog.open(DataFolder(settings.data).log, read_only=not write)

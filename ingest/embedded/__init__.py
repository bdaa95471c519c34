"""The embedded log: append-only segment files that stand in for Kafka in a single process."""

from ingest.embedded.errors import LogLockedError, LogVersionError, PartitionsError
from ingest.embedded.log import EmbeddedLog

__all__ = ["EmbeddedLog", "LogLockedError", "LogVersionError", "PartitionsError"]

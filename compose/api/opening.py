"""What a worker needs before it can follow anything: the log, and a state folder. It waits for both."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ingest.log import Log, LogUnavailableError, Topic
from projector.folders import StateFolder

if TYPE_CHECKING:
    from ingest.kafka import KafkaSettings

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
LOOK_SECONDS = 0.2

Say = Callable[[str], None]
"""Told what is waited for."""


class WorkerLog(Log, Protocol):
    """A log as a worker has it: other processes have it open, too."""

    @property
    def fault(self) -> str:
        """What somebody has to mend of the log; empty when nothing is."""
        ...

    @property
    def trouble(self) -> str:
        """Why nothing can be written now, as far as is known; empty when it can."""
        ...

    async def recount(self) -> None:
        """Ask how many partitions there are now. Raises LogUnavailableError."""
        ...

    def max_record_bytes(self, topic: Topic) -> int:
        """The largest record of ``topic``."""
        ...


async def open_kafka(settings: "KafkaSettings", say: Say) -> WorkerLog:
    """The log, once Kafka can be reached; its topics are made where they are missing. Raises KafkaTopicError."""
    from ingest.kafka import KafkaLog

    say(f"waiting for Kafka at {settings.bootstrap_servers}")
    pause = FIRST_PAUSE
    while True:
        try:
            return await KafkaLog.open(settings)
        except LogUnavailableError as error:
            say(f"waiting for Kafka: {error}")
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def wait_for_state(folder: StateFolder, say: Say) -> None:
    """Return once there is a state folder: a wrong path shows itself by waiting, not by an empty folder."""
    while not folder.root.is_dir():
        say(f"waiting for a projector: there is no {folder.root} yet")
        await asyncio.sleep(LOOK_SECONDS)

"""What a worker needs before it can follow anything: Kafka, and a state folder. It waits for both, in any order."""

import asyncio
from collections.abc import Callable

from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import LogUnavailableError
from projector.folders import StateFolder

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
LOOK_SECONDS = 0.2

Say = Callable[[str], None]
"""Told what is waited for."""


async def open_log(settings: KafkaSettings, say: Say) -> KafkaLog:
    """The log, once Kafka can be reached; its topics are made where they are missing. Raises KafkaTopicError."""
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

"""Produces what it reads from standard input, as aiokafka does it: its default partitioner, idempotent.

``python -m tests.producers.aiokafka_producer BOOTSTRAP TOPIC``. Input and output are those of ``Producer.java``.
aiokafka refuses messages with neither key nor value.
"""

import asyncio
import sys
from typing import Any

from aiokafka import AIOKafkaProducer

from tests.producers.messages import from_line

READ_BYTES = 64 << 20
"""The longest line."""
RESTART_MS = 300_000
"""So long a broker that was killed may take to start again, on a machine that is busy."""


async def main(bootstrap: str, topic: str) -> None:
    """Produce every line of standard input; print where it is when it is acknowledged. Raises KafkaError."""
    lines = asyncio.StreamReader(limit=READ_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        max_request_size=READ_BYTES,
        request_timeout_ms=RESTART_MS,
    )
    await producer.start()
    try:
        async with asyncio.TaskGroup() as acknowledgements:
            number = 0
            while line := await lines.readline():
                message = from_line(line)
                sent = await producer.send(topic, message.value, message.key, headers=list(message.headers))
                acknowledgements.create_task(_report(number, sent))
                number += 1
    finally:
        await producer.stop()


async def _report(number: int, sent: asyncio.Future[Any]) -> None:
    metadata = await sent
    print(f"{number} {metadata.partition}:{metadata.offset}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

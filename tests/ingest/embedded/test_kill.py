"""A process that is killed while it appends loses nothing that it was told is durable."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ingest.embedded.support import POINTS, opened, read_all, within

APPENDER = """
import asyncio, sys
from pathlib import Path
from ingest.embedded import EmbeddedLog
from ingest.log import Topic

async def append(log, writer):
    number = 0
    while True:
        value = f"{writer}:{number}:".encode() + bytes([number % 256]) * (number * 131 % 5000)
        offset = await log.append(Topic.POINTS, writer % 2, value)
        sys.stdout.write(f"{writer % 2} {offset} {writer} {number}\\n")
        sys.stdout.flush()
        number += 1

async def main():
    log = await EmbeddedLog.open(Path(sys.argv[1]), 2, segment_bytes=200_000)
    await asyncio.gather(*[append(log, writer) for writer in range(8)])

asyncio.run(main())
"""


def append_until_killed(folder: Path, lines: int) -> list[tuple[int, int, int, int]]:
    """Run the appender, kill it after about ``lines`` acknowledgements, and return all of them."""
    with subprocess.Popen([sys.executable, "-c", APPENDER, str(folder)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            head = [child.stdout.readline() for _ in range(lines)]
        finally:
            child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
    assert child.returncode == -signal.SIGKILL
    found: list[tuple[int, int, int, int]] = []
    for line in ("".join(head) + rest).split("\n")[:-1]:
        partition, offset, writer, number = map(int, line.split())
        found.append((partition, offset, writer, number))
    return found


@pytest.mark.crash
def test_every_acknowledged_record_is_there_after_kill_9(tmp_path: Path) -> None:
    chance = random.Random(11)
    acknowledged: dict[tuple[int, int], bytes] = {}

    async def check() -> None:
        async with opened(tmp_path, 2) as log:
            for partition in (0, 1):
                records = await read_all(log, POINTS, partition, 1 << 20)
                assert [record.offset for record in records] == list(range(len(records)))
                for (at, offset), prefix in acknowledged.items():
                    if at == partition:
                        value = records[offset].value
                        assert value is not None
                        assert value.startswith(prefix)

    for _ in range(4):
        for partition, offset, writer, number in append_until_killed(tmp_path, chance.randrange(50, 600)):
            assert (partition, offset) not in acknowledged
            acknowledged[partition, offset] = b"%d:%d:" % (writer, number)
        within(check())
    assert len(acknowledged) > 200
    assert len(list((tmp_path / "points-0").iterdir())) > 1

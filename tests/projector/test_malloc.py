"""A process that has come to rest gives back what is free, and is told so once."""

import platform
import subprocess
import sys

import pytest

from projector.malloc import BUSY_SECONDS, Rest


def test_rest_comes_once_after_work() -> None:
    rest = Rest()
    looks = [0.0, 0.3, 0.3 + BUSY_SECONDS, 0.5, 0.5, 0.51, 2.0, 2.01]
    assert [rest.comes(used) for used in looks] == [False, False, False, True, False, False, False, True]


WITH_GAPS = """
import time
from pathlib import Path
from projector.malloc import BUSY_SECONDS, give_back_at_rest

def anonymous():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) << 10

give_back_at_rest()
kept = [bytearray(b"x" * 100_000) for _ in range(400)][::20]
until = time.process_time() + 3 * BUSY_SECONDS
while time.process_time() < until:
    pass
held = anonymous()
while anonymous() > held - (20 << 20):
    time.sleep(0.1)
print("given back")
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc only")
def test_what_is_free_between_blocks_in_use_is_given_back_at_rest() -> None:
    run = subprocess.run([sys.executable, "-c", WITH_GAPS], capture_output=True, text=True, timeout=120, check=True)
    assert run.stdout == "given back\n"

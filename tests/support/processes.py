"""What the operating system says about processes."""

import subprocess
import sys
from pathlib import Path

MARK = "SERVER_UNDER_TEST"
"""The environment variable that marks a server process and, since they inherit it, all that it starts."""


NAME_LENGTH = 15
"""So much of its mark is the name of a process that was forked: what was handed on to it the system doesn't show."""


def marked_processes(mark: str) -> list[int]:
    """The ids of the processes with a mark that still run (one that waits to be reaped has ended)."""
    wanted = f"{MARK}={mark}"
    name = mark[:NAME_LENGTH]
    if sys.platform != "linux":
        return _marked_by_ps(wanted)
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            head, _, rest = (folder / "stat").read_text().rpartition(")")
            marked = head.partition("(")[2] == name or wanted.encode() in (folder / "environ").read_bytes().split(b"\0")
            state = rest.split()[0]
        except OSError:
            continue
        if marked and state not in "ZX":
            found.append(int(folder.name))
    return found


def _marked_by_ps(wanted: str) -> list[int]:
    listing = subprocess.run(["ps", "-axEww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
    return [int(line.split()[0]) for line in listing.stdout.splitlines() if wanted in line.split()]


def resident_bytes(pid: int) -> int:
    """The resident memory of one process, in bytes."""
    if sys.platform == "linux":
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise ProcessLookupError(f"process {pid} has no memory any more")
    listing = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(listing.stdout) * 1024

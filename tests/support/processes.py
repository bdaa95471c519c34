"""What the operating system says about the processes of a session."""

import subprocess
import sys
from pathlib import Path


def session_members(session: int) -> list[int]:
    """The ids of the processes in a session that still run (a process that waits to be reaped has ended)."""
    if sys.platform != "linux":
        return _members_by_ps(session)
    members: list[int] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        state, its_session = fields[0], int(fields[3])
        if its_session == session and state not in "ZX":
            members.append(int(folder.name))
    return members


def _members_by_ps(session: int) -> list[int]:
    listing = subprocess.run(["ps", "-axo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return [int(pid) for pid, group, state in rows if int(group) == session and not state.startswith("Z")]


def resident_bytes(pid: int) -> int:
    """The resident memory of one process, in bytes."""
    if sys.platform == "linux":
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise ProcessLookupError(f"process {pid} has no memory any more")
    listing = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(listing.stdout) * 1024

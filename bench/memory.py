"""The memory of a server's processes, as Linux counts it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_KILOBYTE = 1024


@dataclass(frozen=True)
class Memory:
    """Bytes, summed over processes, except ``processes``, which is how many.

    ``resident`` counts pages shared between processes in each of them, ``proportional`` divides them up,
    ``anonymous`` leaves out files mapped into memory, which the system may drop at any time.
    """

    resident: int
    proportional: int
    anonymous: int
    processes: int


def memory_of(processes: Sequence[int]) -> Memory:
    """The memory of some processes; those that have ended meanwhile count for nothing."""
    found = [sizes for pid in processes if (sizes := _rollup(pid))]
    return Memory(
        resident=sum(sizes["Rss"] for sizes in found),
        proportional=sum(sizes["Pss"] for sizes in found),
        anonymous=sum(sizes["Anonymous"] for sizes in found),
        processes=len(found),
    )


def own_anonymous() -> int:
    """The anonymous memory of this process, in bytes."""
    return _rollup("self")["Anonymous"]


def _rollup(pid: int | str) -> dict[str, int]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    return {name: int(value.split()[0]) * _KILOBYTE for name, value in (line.split(":") for line in lines)}

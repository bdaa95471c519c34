"""How much of the machine's memory this process has, where the system tells."""

import os
from pathlib import Path

from schemas.operations import ClearPayload, DeletePayload, DeletePoints, DeleteVectors, Operation
from schemas.strict.refusals import refused
from schemas.strict_mode import StrictModeConfig

_RESIDENT = Path("/proc/self/statm")
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_DELETES = DeletePoints | DeleteVectors | DeletePayload | ClearPayload


def check_memory(strict: StrictModeConfig, operation: Operation) -> None:
    """Raise BadInputError for an operation that is no delete, while the process has too much of the memory."""
    most = strict.max_resident_memory_percent
    if most is None or isinstance(operation, _DELETES):
        return
    percent = resident_percent()
    if percent is not None and percent >= most:
        raise refused(
            f"Resident memory limit of {most}% reached, the process has {percent:.0f}%",
            "Delete points, or raise max_resident_memory_percent",
        )


def resident_percent() -> float | None:
    """The process's resident memory in percent of the machine's, or of what its control group may have."""
    try:
        pages = int(_RESIDENT.read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    page = os.sysconf("SC_PAGE_SIZE")
    total = os.sysconf("SC_PHYS_PAGES") * page
    for file in _CGROUP_LIMITS:
        try:
            text = file.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return 100 * pages * page / total if total else None

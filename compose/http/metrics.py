"""The page for Prometheus: of this process, or of all workers that share a folder for their metrics."""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks, when it is first imported, for the folder that processes share."""


def exposition() -> bytes:
    """The page, in Prometheus' text format."""
    if FOLDER_VARIABLE not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)


def forget_process(folder: Path, pid: int) -> None:
    """What a process measured last is no longer so; what it counted stays."""
    for path in folder.glob(f"gauge_live*_{pid}.db"):
        path.unlink(missing_ok=True)

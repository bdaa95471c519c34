"""The folder in which processes that share a page for Prometheus keep what they measure."""

from pathlib import Path

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks, when it is first imported, for the folder that processes share."""


def forget_process(folder: Path, pid: int) -> None:
    """What a process measured last is no longer so; what it counted stays."""
    for path in folder.glob(f"gauge_live*_{pid}.db"):
        path.unlink(missing_ok=True)

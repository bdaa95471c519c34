"""The page for Prometheus: of this process, or of all workers that share a folder for their metrics."""

import os

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from compose.metrics_folder import FOLDER_VARIABLE
from ingest.http.tally import give_all


def exposition() -> bytes:
    """The page, in Prometheus' text format."""
    give_all()
    if FOLDER_VARIABLE not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)

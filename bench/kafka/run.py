"""Runs all measurements of a cluster."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bench.kafka.phases import KafkaBench
from bench.kafka.stage import Stage
from bench.results import Results
from compose.kafka import KafkaBroker
from ingest.kafka import KafkaSettings
from tests.support.cluster import Cluster

POINTS = 1_000_000
PHASES = ("latency", "routed", "creation", "batches", "single", "replay")
ROUTED_PARTITIONS = 3


@contextmanager
def _stage(broker: KafkaBroker, folder: Path, name: str, partitions: int) -> Generator[Stage]:
    kafka = KafkaSettings(bootstrap_servers=broker.bootstrap, prefix=name)
    place = folder / name
    place.mkdir()
    with Cluster(place, kafka, partitions=partitions) as cluster:
        yield Stage(cluster.start())


def measure(points: int, results: Results, phases: tuple[str, ...] = PHASES) -> None:
    """Measure with a broker of its own. The folder it works in takes about 4 KB a point."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        broker = KafkaBroker.start(folder / "broker")
        try:
            with _stage(broker, folder, "one", 1) as stage:
                bench = KafkaBench(stage, points, results)
                if "latency" in phases:
                    bench.latency("from producing to finding, at home")
                if "creation" in phases:
                    bench.creation()
                if "batches" in phases:
                    bench.batches()
                if "single" in phases:
                    bench.single_points()
                if "replay" in phases:
                    bench.replay()
            if "routed" in phases:
                with _stage(broker, folder, "three", ROUTED_PARTITIONS) as stage:
                    KafkaBench(stage, points, results).latency("from producing to finding, through the router")
        finally:
            broker.kill()

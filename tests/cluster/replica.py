"""A replica: another consumer group, which folds the same log into a data folder of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.cluster import Cluster
from tests.support.server import HeadwaterProcess

GROUP = "replica"


@dataclass(frozen=True)
class Replica:
    """Its projector, its api, and where its data is. The cluster that it is added to ends them."""

    projector: HeadwaterProcess
    api: HeadwaterProcess
    data: Path

    @classmethod
    def start(cls, cluster: Cluster) -> Self:
        """Add a group to a cluster, and wait until it has caught up."""
        data = cluster.folder / "replica"
        projector = cluster.add_projector("--group", f"{cluster.kafka.prefix}.{GROUP}", "--no-route", data=data)
        replica = cls(projector, cluster.add_api(data=data), data)
        for process in (replica.projector, replica.api):
            process.launch()
        for process in (replica.projector, replica.api):
            process.wait_ready()
        return replica

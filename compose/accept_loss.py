"""Going on without records that were gone from the log before they were applied, because somebody says so."""

import time
from contextlib import closing

from compose.errors import UserError
from compose.open_log import open_log
from compose.settings import DataFolder, Settings
from ingest.log import Topic
from projector.catalog.store import CatalogStore
from projector.folders import StateFolder
from projector.snapshot import SnapshotsFolder
from projector.state.losses import Loss
from projector.state.store import PartitionState


async def accept_loss(settings: Settings, topic: Topic, partition: int, until: int) -> Loss:
    """Let a state, which is made where there is none, go on at the log's start, and note in it what it lacks.

    ``until`` must be the offset before the log's first. Raises UserError where that is not so, nothing is lost, or a
    snapshot has what is; what opening log and state raises, StateLockedError while something runs on it.
    """
    data = DataFolder(settings.data)
    async with open_log(settings) as log:
        if topic is Topic.REJECTED or not 0 <= partition < log.partitions(topic):
            raise UserError(f"there is no state of {topic}-{partition}")
        where, start = f"{topic}-{partition}", await log.start_offset(topic, partition)
        if until != start - 1:
            raise UserError(
                f"the log of {where} starts at offset {start}, so what is lost ends at {start - 1}, and not at {until}"
                if start
                else f"the log of {where} has lost nothing: it starts at offset 0"
            )
        snapshot = SnapshotsFolder(data.snapshots).newest(log.identity, (topic, partition, until))
        if snapshot is not None:
            raise UserError(f"nothing has to be lost: headwater snapshot restore {snapshot.name} has those records")
        with closing(_open(StateFolder(data.state), topic, partition, log.identity)) as state:
            if state.applied >= until:
                raise UserError(f"nothing is lost: the state of {where} has applied offset {state.applied}")
            loss = state.accept_loss(until, time.time_ns() // 1_000_000)
            await state.sync()
            return loss


def _open(folder: StateFolder, topic: Topic, partition: int, identity: str) -> CatalogStore | PartitionState:
    if topic is Topic.CATALOG:
        folder.root.mkdir(parents=True, exist_ok=True)
        return CatalogStore.open(folder.catalog, identity)
    folder.partition(partition).mkdir(parents=True, exist_ok=True)
    return PartitionState.open(folder.rocksdb(partition), identity)

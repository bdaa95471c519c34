"""ProjectorNode: what a worker consists of, and how it starts and ends."""

import asyncio
from typing import Self

import structlog

from compose.errors import UserError
from compose.projector.admin import PartitionStatus
from compose.projector.catching_up import CatchUpDisplay
from compose.projector.group_folder import (
    LEFT_SECONDS,
    folder_id,
    member_name,
    refusal,
    refuse_other_folders,
    strangers,
)
from compose.projector.opening import Opener
from compose.projector.relays import Relays, StandbyRelays
from compose.projector.state_folder import FolderWatch, refuse_lost_state
from compose.projector.tasks import Tasks
from compose.settings import DataFolder, Settings
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.kafka.groups import GroupOffsets
from ingest.log import LogUnavailableError, LogUnreachableError, Topic
from projector.folders import StateFolder
from projector.segments.builder import SegmentBuilder
from projector.segments.optimizer import Optimizer
from projector.segments.reader import Segment
from projector.snapshot.service import SnapshotService
from projector.snapshot.snapshots import SnapshotsFolder
from projector.worker.catching_up import CatchingUp, Partition
from projector.worker.faust.app import FoldApp
from projector.worker.following import FoldService
from projector.worker.known_losses import KnownLosses
from projector.worker.partition_runner import ignore_rejected
from projector.worker.relay import rejecter
from projector.worker.worker import Worker

LOOK_SECONDS = 1.0
"""How often it is looked whether the states are still there."""
RECOUNT_SECONDS = 10.0
"""How often the topics are checked: whether they are still the ones that were folded."""

_logger = structlog.get_logger("headwater")


class ProjectorNode:
    """A worker of the consumer group, over the group's data folder."""

    def __init__(
        self, settings: Settings, kafka: KafkaSettings, log: KafkaLog, groups: GroupOffsets, folder: str
    ) -> None:
        """See ``open``. ``folder``: the data folder's id."""
        data = DataFolder(settings.data)
        self.log = log
        self._groups = groups
        self._group = settings.consumer_group
        self._data = settings.data
        self._folder_id = folder
        self._folder = StateFolder(data.state)
        self._watch = FolderWatch(self._folder)
        self._tasks = Tasks()
        self._builder = SegmentBuilder()
        self._optimizer = Optimizer(self._builder, make_ready=Segment.check_graphs)
        self._snapshots = SnapshotService(SnapshotsFolder(data.snapshots), self._folder, log.identity)
        self._losses = KnownLosses()
        self._display = CatchUpDisplay()
        self._relays: Relays | StandbyRelays | None = None
        self._reject_from_catalog = rejecter(log, Topic.CATALOG) if settings.route else ignore_rejected
        self.worker = Worker(self._open_partition, CatchingUp(self._display.report))
        self._app = FoldApp(kafka, self._group, self.worker, member_name(kafka.client_id, folder))

    @classmethod
    async def open(cls, settings: Settings, kafka: KafkaSettings) -> Self:
        """Reach Kafka; topics are made where there are none.

        Raises UserError when the group works in another data folder, StateMismatchError when there is no state and the
        log can't give one, KafkaTopicError, LogUnavailableError, OSError.
        """
        log = await KafkaLog.open(kafka)
        try:
            data = DataFolder(settings.data)
            await refuse_lost_state(StateFolder(data.state), SnapshotsFolder(data.snapshots), log)
            groups = await _groups_without_strangers(settings, kafka)
        except BaseException:
            await log.close()
            raise
        node = cls(settings, kafka, log, groups, folder_id(settings.data))
        try:
            if settings.route:
                node._relays = await Relays.open(kafka, node._folder, node._tasks, node.worker.offer_early)
            else:
                node._relays = await StandbyRelays.open(kafka, log, node._tasks)
        except BaseException:
            await node.close()
            raise
        return node

    async def _open_partition(self, partition: Partition) -> FoldService:
        if self._relays is None:
            raise AssertionError("partitions are given after ``open``")
        relay, reject = self._relays.open_relay, self._reject_from_catalog
        opener = Opener(
            self.log, self._folder, self._builder, self._optimizer, self._snapshots, self._losses, relay, reject
        )
        service = await opener.open(partition, self.worker.marker_seq)
        self._watch.check([partition])
        return service

    async def run(self) -> None:
        """Work until cancelled. Returns only by an exception: then the process must end."""
        for work in (self._optimizer.run(), self._snapshots.run(), self._watch_topics(), self.worker.failed()):
            self._tasks.start(work)
        self._tasks.start(self._watch_folder())
        self._tasks.start(self._app.run())
        try:
            await self._tasks.failed()
        except Exception:
            # Whatever it is that failed, it may have been because of that.
            self._watch.check(self.worker.partitions)
            raise

    async def _watch_folder(self) -> None:
        while True:
            self._watch.check(self.worker.partitions)
            await asyncio.sleep(LOOK_SECONDS)

    async def _watch_topics(self) -> None:
        while True:
            await asyncio.sleep(RECOUNT_SECONDS)
            try:
                await self.log.recount()
                await self._watch_group()
            except LogUnreachableError as error:
                _logger.debug("the topics could not be checked", reason=str(error))
            except LogUnavailableError as error:
                _logger.warning("the topics could not be checked", reason=str(error))

    async def _watch_group(self) -> None:
        others = strangers(await self._groups.members(self._group), self._folder_id)
        # Both had joined before either saw the other: the same one gives way, whichever looks first.
        if others and self._folder_id > min(others):
            raise UserError(refusal(self._group, self._data, others))

    def ready(self) -> tuple[bool, str]:
        """Whether every partition that was given has caught up with the log, and a sentence for people."""
        if not self._app.in_group:
            return False, "joining the consumer group"
        if self.log.trouble:
            return False, f"can't fold: {self.log.trouble}"
        behind = [f"{topic}-{number}" for topic, number in self.worker.behind]
        if (paused := self.worker.paused) is not None:
            return False, f"paused: {paused}"
        if behind:
            return False, f"opening and catching up with the log: {', '.join(behind)}"
        losses = self._losses.sentence()
        return True, f"ready, {losses}" if losses else "ready"

    def partitions(self) -> list[PartitionStatus]:
        """The partitions that were given to this worker."""
        behind, positions = set(self.worker.behind), self.worker.positions()
        return [
            PartitionStatus(
                topic=partition[0],
                partition=partition[1],
                caught_up=partition not in behind,
                applied=positions[partition] - 1 if partition in positions else None,
            )
            for partition in self.worker.partitions
        ]

    async def close(self) -> None:
        """Let the partitions go, leave the group, so that others get them at once, and release everything."""
        await self._app.commit_applied()
        await self.worker.close()
        await self._app.leave()
        await self._tasks.stop()
        self._display.close()
        await self._builder.close()
        if self._relays is not None:
            await self._relays.close()
        await self._groups.close()
        await self.log.close()


async def _groups_without_strangers(settings: Settings, kafka: KafkaSettings) -> GroupOffsets:
    groups = await GroupOffsets.open(kafka)
    try:
        group, folder = settings.consumer_group, folder_id(settings.data)
        await refuse_other_folders(lambda: groups.members(group), group, settings.data, folder, LEFT_SECONDS)
    except BaseException:
        await groups.close()
        raise
    return groups

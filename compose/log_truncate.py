"""Truncating the log: which records a snapshot makes superfluous, and who still needs them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from compose.errors import UserError
from compose.router_group import router_group
from ingest.log import Log, Topic
from projector.snapshot import Snapshot, SnapshotError, SnapshotsFolder

Offsets = Mapping[tuple[Topic, int], int]
"""As ``ingest.kafka.groups.Offsets``, which would bring Kafka's client into processes without it."""
Committed = Mapping[str, Offsets]
"""Where each consumer group stands that has committed anything on these topics."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is to go of one partition: the records from ``start`` up to, and without, ``limit``."""

    topic: Topic
    partition: int
    start: int
    limit: int


def choose_snapshot(snapshots: SnapshotsFolder, name: str | None, identity: str) -> Snapshot:
    """The snapshot ``name`` of the log ``identity``, or the newest one. Raises SnapshotError."""
    if name is None:
        newest = snapshots.newest(identity)
        if newest is None:
            raise SnapshotError(f"{snapshots.root} has no snapshot of this log: run headwater snapshot create first")
        return newest
    snapshot = snapshots.find(name)
    if snapshot.description.identity != identity:
        raise SnapshotError(
            f"the snapshot {name} is of the log {snapshot.description.identity}, and this is {identity}"
        )
    return snapshot


async def plan_cuts(log: Log, snapshot: Snapshot) -> list[Cut]:
    """What ``snapshot`` covers of each partition, as far as it is on the log still. Raises UserError."""
    applied = {(Topic.POINTS, partition): offset for partition, offset in snapshot.description.partitions.items()}
    if snapshot.description.catalog is not None:
        applied[Topic.CATALOG, 0] = snapshot.description.catalog
    cuts: list[Cut] = []
    for (topic, partition), offset in sorted(applied.items()):
        if partition >= log.partitions(topic):
            raise UserError(f"the snapshot {snapshot.name} has {topic}-{partition}, and the log has no such partition")
        start, end = await log.start_offset(topic, partition), await log.end_offset(topic, partition)
        if offset >= end:
            raise UserError(
                f"the snapshot {snapshot.name} stands at offset {offset} of {topic}-{partition}, and the log ends at "
                f"{end}: the log has lost records"
            )
        cuts.append(Cut(topic, partition, start, max(start, offset + 1)))
    return cuts


def check_readers(cuts: Iterable[Cut], committed: Committed, prefix: str, ignored: Collection[str]) -> None:
    """Raise UserError, naming every reader that still needs a record that would go.

    The router is one of them even if it never committed anything: what it has not forwarded is in the log only.
    """
    router = router_group(prefix)
    readers = {group: offsets for group, offsets in committed.items() if group not in ignored}
    if router not in ignored:
        readers.setdefault(router, {})
    behind: list[str] = []
    for cut in cuts:
        for group, offsets in sorted(readers.items()):
            needed = _reads(group, router, cut, offsets)
            if needed is not None and needed < cut.limit:
                behind.append(f"the group {group} has read {cut.topic}-{cut.partition} up to offset {needed} only")
    if behind:
        raise UserError(
            f"nothing was deleted, for somebody hasn't read what would go: {'; '.join(behind)}. Try again when they "
            "have caught up, or take an older snapshot (--snapshot). A group that is gone for good can be left out "
            "(--ignore-group)."
        )


def _reads(group: str, router: str, cut: Cut, offsets: Offsets) -> int | None:
    """From which offset on a group needs a partition; None when it doesn't read the topic."""
    committed = offsets.get((cut.topic, cut.partition))
    if committed is not None:
        return committed
    reads_topic = any(topic is cut.topic for topic, _ in offsets) or (group == router and cut.topic is Topic.POINTS)
    # It reads the topic and has committed nothing here: it hasn't begun.
    return cut.start if reads_topic and cut.start < cut.limit else None

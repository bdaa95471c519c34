"""``headwater verify``: is the live state what the log says?"""

import asyncio
from typing import TYPE_CHECKING, Any

from compose.commands.options import Data, Kafka, Prefix, make_settings
from compose.console import Json, plain_console, print_json, whole_table
from compose.errors import UserError
from compose.open_log import open_log
from compose.progress import progress
from compose.settings import DataFolder, Settings

if TYPE_CHECKING:
    from rich.table import Table

    from projector.worker.verify import PartitionVerdict


def verify(as_json: Json = False, data: Data = None, kafka: Kafka = None, prefix: Prefix = None) -> None:
    """Fold the log afresh and compare its digests with the live state. Exit code 1 when they differ.

    A log that was truncated is folded from a snapshot on.
    """
    settings = make_settings(data=data, kafka=kafka, prefix=prefix)
    verdicts = asyncio.run(_verify(settings))
    if as_json:
        print_json([_facts(verdict) for verdict in verdicts])
    else:
        _show(verdicts)
    differing = [verdict for verdict in verdicts if not verdict.equal]
    if differing and not any(verdict.same_folds for verdict in differing):
        raise UserError(
            "the live state is not what folding afresh gives, which may be due to the versions of the fold alone. To "
            "have what this release's version makes of the log, move the state folder away and start to rebuild it"
        )
    if differing:
        raise UserError("the live state is not what the log says: move the state folder away and start to rebuild it")
    if not as_json:
        plain_console().print("digests are equal")


def _facts(verdict: "PartitionVerdict") -> dict[str, Any]:
    return {
        "partition": verdict.partition,
        "applied_offset": verdict.applied,
        "equal": verdict.equal,
        "folds": [span._asdict() for span in verdict.folds],
        "folds_afresh": [span._asdict() for span in verdict.folds_afresh],
        "losses": [{"first": loss.first, "last": loss.last} for loss in verdict.losses],
        "shards": [
            {
                "collection": seen.name,
                "shard": seen.shard,
                "equal": shard.equal,
                "points": shard.live and shard.live.points,
                "points_afresh": shard.afresh and shard.afresh.points,
                "digest": shard.live and shard.live.value,
                "digest_afresh": shard.afresh and shard.afresh.value,
            }
            for shard in verdict.shards
            if (seen := shard.live or shard.afresh) is not None
        ],
    }


def _show(verdicts: "list[PartitionVerdict]") -> None:
    from projector.state.losses import tell

    plain_console().print(_table(verdicts))
    for verdict in verdicts:
        if not verdict.same_folds:
            plain_console().print(_versions(verdict), highlight=False, soft_wrap=True)
        if verdict.losses:
            lost = f"points-{verdict.partition} goes on without {tell(verdict.losses)}, which the log lost"
            plain_console().print(lost, highlight=False, soft_wrap=True)


def _versions(verdict: "PartitionVerdict") -> str:
    live, afresh = (
        ", ".join(f"{span.version} from offset {span.start}" for span in folds)
        for folds in (verdict.folds, verdict.folds_afresh)
    )
    return f"points-{verdict.partition} was folded by {live}; it is compared with a fold by {afresh}"


def _table(verdicts: "list[PartitionVerdict]") -> "Table":
    from rich.text import Text

    table = whole_table("collection", "shard", "points", "applied offset", "digest", "log folded afresh")
    for verdict in verdicts:
        for shard in verdict.shards:
            seen = shard.live or shard.afresh
            if seen is not None:
                digests = [d.value if d else "missing" for d in (shard.live, shard.afresh)]
                row = (seen.name, seen.shard, seen.points, verdict.applied, digests[0])
                table.add_row(*map(str, row), "equal" if shard.equal else Text(digests[1], style="red"))
    return table


async def _verify(settings: Settings) -> "list[PartitionVerdict]":
    from ingest.log import Topic
    from projector.folders import StateFolder
    from projector.snapshot import SnapshotsFolder
    from projector.snapshot.advice import advising
    from projector.snapshot.seed import SnapshotSeed
    from projector.worker.verify import verify_partition

    folder = DataFolder(settings.data)
    state, snapshots = StateFolder(folder.state), SnapshotsFolder(folder.snapshots)
    async with open_log(settings) as log:
        seed = SnapshotSeed(snapshots, log.identity)
        verdicts: list[PartitionVerdict] = []
        for partition in range(log.partitions(Topic.POINTS)):
            if not state.rocksdb(partition).exists():
                raise UserError(f"there is no state of points-{partition} in {folder.state}")
            end = await log.end_offset(Topic.POINTS, partition)
            with progress(f"folding points-{partition} afresh", end) as advance, advising(snapshots, log.identity):
                verdicts.append(await verify_partition(log, partition, state, folder.root, advance, seed=seed))
        return verdicts

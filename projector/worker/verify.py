"""Verify: fold the log afresh, up to where the live state stands, and compare the digests."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingest.log import Log, Topic
from projector.folders import StateFolder
from projector.state.digest import ShardDigest, digest_shard
from projector.state.fold_history import FoldSpan
from projector.state.losses import Loss, tell
from projector.state.origin import StateMismatchError
from projector.state.store import PartitionState
from projector.worker.replay import replay_partition

Seed = Callable[[int, int, int, Path], None]
"""Puts a state of a partition into a folder: one that needs no record below an offset, and stands no later than
another offset. Leaves the folder out where it has none."""


@dataclass(frozen=True, slots=True)
class ShardVerdict:
    """One shard's digests: None where the shard is missing on that side."""

    live: ShardDigest | None
    afresh: ShardDigest | None

    @property
    def equal(self) -> bool:
        """Whether the live state is what the log says."""
        return self.live == self.afresh


@dataclass(frozen=True, slots=True)
class PartitionVerdict:
    """What was found for one partition. ``folds``, ``folds_afresh``: the versions of the fold behind either side.

    ``losses``: what of the log the live state goes on without.
    """

    partition: int
    applied: int
    shards: list[ShardVerdict]
    folds: list[FoldSpan]
    folds_afresh: list[FoldSpan]
    losses: list[Loss]

    @property
    def equal(self) -> bool:
        """Whether all shards are equal."""
        return all(shard.equal for shard in self.shards)

    @property
    def same_folds(self) -> bool:
        """Whether both sides were folded by the same versions: only then they have to be equal."""
        return self.folds == self.folds_afresh


async def verify_partition(
    log: Log,
    partition: int,
    state: StateFolder,
    scratch: Path,
    advance: Callable[[int], None],
    *,
    seed: Seed | None = None,
) -> PartitionVerdict:
    """Fold ``partition`` afresh in a temporary folder below ``scratch`` and compare.

    The live state is opened read-only; the server may be running. Where the log was truncated, ``seed`` gives what to
    begin from. Raises StateMismatchError, StateDamagedError.
    """
    live = PartitionState.open(state.rocksdb(partition), log.identity, read_only=True)
    try:
        with tempfile.TemporaryDirectory(prefix="verify-", dir=scratch) as temporary:
            folder, end = Path(temporary) / "rocksdb", live.applied + 1
            start = await log.start_offset(Topic.POINTS, partition)
            if start > 0 and seed is not None:
                seed(partition, start, live.applied, folder)
            if start > 0 and live.losses and not folder.exists():
                raise StateMismatchError(
                    f"the state of {Topic.POINTS}-{partition} goes on without {tell(live.losses)}, which the log lost: "
                    "what is before can't be folded afresh. Make a snapshot (headwater snapshot create): verify then "
                    "begins from that."
                )
            await replay_partition(log, partition, folder, end, advance, pending=live.cursor)
            afresh = PartitionState.open(folder, log.identity, read_only=True)
            try:
                return PartitionVerdict(
                    partition, live.applied, compare(live, afresh), live.folds, afresh.folds, live.losses
                )
            finally:
                afresh.close()
    finally:
        live.close()


def compare(live: PartitionState, afresh: PartitionState) -> list[ShardVerdict]:
    """The digests of every shard that either state has."""
    here, there = live.shards(), afresh.shards()
    return [
        ShardVerdict(
            digest_shard(live, shard) if shard in here else None,
            digest_shard(afresh, shard) if shard in there else None,
        )
        for shard in sorted(here.keys() | there.keys())
    ]

"""PartitionRunner: reads one partition of the log, folds, commits, and gives frames to whoever follows."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from prometheus_client import Counter, Gauge

from ingest.log import Log, LogRecord, Topic
from ingest.outcomes import Reject, Rejection
from projector.fold.candidates import Candidates
from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Effects
from projector.fold.fold import Fold
from projector.fold.packed import DecodedRecord
from projector.fold.window import decode, decode_window, windows
from projector.frames import Frame
from projector.state.store import PartitionState
from projector.worker.following import READ_BYTES, LogFollower
from projector.worker.rejected import belongs_there
from projector.worker.rejection_lines import RejectionLines
from projector.worker.retry import when_writable
from projector.worker.view_candidates import FindCandidates, no_candidates
from schemas.operations import Outcome
from schemas.records import PointsRecord

DEFAULT_CHUNK = ChunkLimit()

RECORDS = Counter("headwater_records_applied_total", "Records folded into the state", ["partition"])
REJECTED = Counter("headwater_records_rejected_total", "Records with a rejected operation", ["partition"])
APPLIED_OFFSET = Gauge("headwater_applied_offset", "The applied offset", ["partition"], multiprocess_mode="livemax")


async def ignore_rejected(rejections: Sequence[Rejection]) -> None:
    """For replays: what was rejected was reported when it was first applied."""


def ignore_frame(frame: Frame) -> None:
    """For runs that no view follows."""


class PartitionRunner(LogFollower):
    """The one writer of a partition's state. An exception in the fold ends it, and with it the process; while the disk
    takes no writes, it waits.

    ``to_relay`` says of an offset whether the router has yet to deal with it. If so, what of a foreign record is not at
    home here goes to the state's outbox, and rejected records are sent. Without it there is no router: what is
    not at home is left alone, and every rejected record is sent.

    ``candidates`` says where an operation by filter is to look, so that it need not look at every point.
    """

    def __init__(
        self,
        log: Log,
        partition: int,
        state: PartitionState,
        sink: Callable[[Frame], None],
        *,
        reject: Reject = ignore_rejected,
        to_relay: Callable[[int], bool] | None = None,
        candidates: FindCandidates = no_candidates,
        read_bytes: int = READ_BYTES,
        chunk: ChunkLimit = DEFAULT_CHUNK,
    ) -> None:
        super().__init__(log, Topic.POINTS, partition, state, read_bytes)
        self._state = state
        self.sink = sink
        self._reject = reject
        self._rejections = RejectionLines(partition)
        self._to_relay = to_relay
        self.room: asyncio.Event | None = None
        """Nothing is applied while it is cleared."""
        self._candidates = candidates
        self._chunk = chunk
        self._records = RECORDS.labels(partition)
        self._rejected = REJECTED.labels(partition)
        # Set, and not asked for by a function: that other processes would not see.
        self._applied_offset = APPLIED_OFFSET.labels(partition)
        self._applied_offset.set(state.applied)

    async def finish_pending(self) -> None:
        """Finish a record of which only some chunks were applied before a crash. Raises StateMismatchError."""
        cursor = self._state.cursor
        if cursor is None:
            return
        records = await self._log.read(Topic.POINTS, self.partition, cursor.offset, 1)
        self._state.check_next(records[0] if records else None)
        await self.apply(records[0])

    async def apply_all(self, records: Sequence[LogRecord]) -> None:
        """Fold the log's next records, in order, many of them in one commit and one frame where that is possible.

        Records at or below the applied offset are skipped. Raises StateMismatchError as ``apply``.
        """
        applied = self._state.applied
        new = records if records and records[0].offset > applied else [r for r in records if r.offset > applied]
        for window in windows(new):
            decoded = decode_window(self._state, window)
            at = 0
            while at < len(window):
                if self.room is not None and not self.room.is_set():
                    await self.room.wait()
                at += await self._apply_together(window[at:], decoded[at:])
                if at < len(new):
                    await asyncio.sleep(0)

    async def apply(self, record: LogRecord, chunks: int | None = None) -> None:
        """Fold one record, commit it, and hand on its frames; stop early when ``chunks`` of it are committed.

        A record at or below the applied offset is skipped. Raises StateMismatchError when part of another one was
        applied.
        """
        if record.offset > self._state.applied:
            await self._apply_together([record], [decode(record)], chunks)

    async def _apply_together(
        self, records: Sequence[LogRecord], decoded: Sequence[DecodedRecord], chunks: int | None = None
    ) -> int:
        """Apply the first of ``records`` and those that go with it; how many that is."""
        self._state.check_next(records[0])
        cursor, first = self._state.cursor, decoded[0]
        candidates: Candidates = None
        if cursor is None and isinstance(first, PointsRecord):
            # As of the state before the record; of one that is half applied, nobody knows them any more.
            candidates = await self._candidates(first, self._state.applied)
        fold = Fold(self._state, self._chunk, cursor, candidates)
        while cursor is None or chunks is None or cursor.chunk < chunks:
            for record, what in zip(records, decoded, strict=True):
                if not fold.add(record.offset, what):
                    break
            effects = fold.effects()
            await self._commit(effects, records[: fold.records], decoded)
            cursor = effects.cursor
            if cursor is None:
                break
            fold = fold.rest()
            await asyncio.sleep(0)
        return fold.records

    async def _commit(self, effects: Effects, records: Sequence[LogRecord], decoded: Sequence[DecodedRecord]) -> None:
        """Send what was rejected of ``records``, write what they did, and hand on their frames."""
        to_relay, refused = self._to_relay, effects.refused
        effects.outbox = [] if to_relay is None else [entry for entry in effects.outbox if to_relay(entry[0])]
        if refused:
            await self._report(records, decoded, refused)
        value = records[-1].value
        what = f"the state of points-{self.partition}"
        await when_writable(lambda: self._state.commit(effects, value), self._state.kv, what)
        final = effects.cursor is None
        for offset, outcomes in refused.items():
            if offset != effects.offset:
                self.sink(Frame(offset, [], outcomes, final=False))
        events = [event for shard in effects.shards for event in shard.events]
        self.sink(Frame(effects.offset, events, refused.get(effects.offset, []), final))
        if final:
            self._records.inc(len(records))
            self._applied_offset.set(effects.offset)

    async def _report(
        self, records: Sequence[LogRecord], decoded: Sequence[DecodedRecord], refused: Mapping[int, Sequence[Outcome]]
    ) -> None:
        """Send those of ``records`` that have outcomes in ``refused``, before they are committed."""
        self._rejected.inc(len(refused))
        rejections: list[Rejection] = []
        for record, what in zip(records, decoded, strict=False):
            outcomes = refused.get(record.offset)
            if outcomes is None:
                continue
            if self._reject is not ignore_rejected:
                self._rejections.note(record, outcomes)
            if not belongs_there(record, readable=not isinstance(what, Outcome)):
                continue
            if self._to_relay is None or self._to_relay(record.offset):
                rejections.append(Rejection(record, outcomes))
        if rejections:
            await self._reject(rejections)

"""The rejected topic, read: every record once, with where it came from and why; and sent again."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from compose.errors import UserError
from ingest.kafka import KafkaLog
from ingest.log import Headers, Log, LogRecord, LogUnavailableError, Message, Topic
from ingest.produce.pipeline import Pipeline
from projector.worker.rejected import (
    LEFT_OUT_HEADER,
    ORIGIN_HEADER,
    OUTCOMES_HEADER,
    REASON_HEADER,
    forwarded_from,
    record_at,
)

READ_BYTES = 4 << 20
ADDED_PREFIX = "headwater-"
"""Headers of these names were added when the record was rejected."""


class Place(NamedTuple):
    """Where a record was rejected."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


def parse_place(text: str) -> Place | None:
    """topic/partition/offset; None for what is not."""
    topic, _, rest = text.partition("/")
    partition, _, offset = rest.partition("/")
    if not (topic and partition.isdecimal() and offset.isdecimal()):
        return None
    return Place(topic, int(partition), int(offset))


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record of the rejected topic. ``record`` is that record; ``headers`` are those it came with.

    ``origin`` is None where something else than Headwater put it there. ``left_out`` says why the value, key and
    headers it came with are not there, where they aren't.
    """

    record: LogRecord
    headers: Headers
    origin: Place | None
    reason: str
    outcomes: bytes | None
    left_out: str | None = None


async def read_rejected(log: Log, *, follow: bool = False) -> AsyncGenerator[Rejected]:
    """Everything on the rejected topic as it ends now, once for each origin; with ``follow``, then what comes."""
    seen: set[Place] = set()
    position = await log.start_offset(Topic.REJECTED, 0)
    end = await log.end_offset(Topic.REJECTED, 0)
    while follow or position < end:
        records = await log.read(Topic.REJECTED, 0, position, READ_BYTES)
        for record in records if follow else [r for r in records if r.offset < end]:
            rejected = _rejected(record)
            if rejected.origin is None or rejected.origin not in seen:
                yield rejected
            if rejected.origin is not None:
                seen.add(rejected.origin)
        if records:
            position = records[-1].offset + 1
        elif follow:
            await log.wait(Topic.REJECTED, 0, position)
        else:
            return


def _rejected(record: LogRecord) -> Rejected:
    # The last of a name: a producer may have used these names, too.
    added = {name: value for name, value in record.headers if name.startswith(ADDED_PREFIX)}
    origin = added.get(ORIGIN_HEADER, b"").decode(errors="replace")
    left_out = added.get(LEFT_OUT_HEADER)
    return Rejected(
        record,
        tuple((name, value) for name, value in record.headers if not name.startswith(ADDED_PREFIX)),
        parse_place(origin),
        added.get(REASON_HEADER, b"").decode(errors="replace"),
        added.get(OUTCOMES_HEADER),
        None if left_out is None else left_out.decode(errors="replace"),
    )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records: of one of these origins, or with this text in the reason; of every one where both are empty."""

    origins: frozenset[Place]
    reason: str

    def takes(self, rejected: Rejected) -> bool:
        """Whether it is one of them, and came from the points topic."""
        origin = rejected.origin
        if origin is None or origin.topic != Topic.POINTS:
            return False
        return (not self.origins or origin in self.origins) and self.reason in rejected.reason


Send = Callable[[int, Message], Awaitable[None]]
"""Puts a message on a points partition."""


async def replay_rejected(log: Log, selection: Selection, advance: Callable[[int], None], *, dry_run: bool) -> int:
    """Send what was rejected again, as it first came, to the partitions it came from; how many records that is.

    It is rejected again, under another origin, unless what was wrong with it was mended. With ``dry_run`` nothing is
    sent. Raises UserError when the log fails in the middle; those before are sent then. Raises it at the end, when all
    others are sent, for what was left out on the rejected topic and isn't where it came from any more.
    """
    selected = 0
    lost: list[Place] = []
    sender = _Sender(log)
    try:
        async for rejected in read_rejected(log):
            origin = rejected.origin
            if origin is None or not selection.takes(rejected):
                continue
            message = await _as_it_came(log, rejected, origin)
            if message is None:
                lost.append(origin)
                continue
            if not dry_run:
                await sender.send(origin, message)
            selected += 1
            advance(selected)
        await sender.finish()
    except LogUnavailableError as error:
        await sender.abort()
        raise UserError(f"{error}. Some of the {selected} records selected so far were sent.") from error
    if lost:
        raise UserError(
            f"{', '.join(map(str, lost))} can't be sent again: the rejected topic doesn't hold it as it came, and the "
            "log doesn't hold it any more, or it is too large. "
            f"Others that {'would be' if dry_run else 'were'} sent: {selected}."
        )
    return selected


async def _as_it_came(log: Log, rejected: Rejected, origin: Place) -> Message | None:
    """None where the log doesn't hold it any more, or it is too large to be read."""
    if rejected.left_out is None and forwarded_from(rejected.record) is None:
        return Message(rejected.record.value, rejected.record.key, rejected.headers)
    record = await record_at(log, origin.partition, origin.offset)
    return None if record is None or record.unread else Message(record.value, record.key, record.headers)


class _Sender:
    def __init__(self, log: Log) -> None:
        self._log = log
        self._pipeline = Pipeline(log) if isinstance(log, KafkaLog) else None

    async def send(self, origin: Place, message: Message) -> None:
        """To the partition it came from: there it keeps its order among the others of its producer."""
        if self._pipeline is None:
            await self._log.append(
                Topic.POINTS, origin.partition, message.value, key=message.key, headers=message.headers
            )
        else:
            await self._pipeline.send(origin.partition, [(origin.offset, message)])

    async def finish(self) -> None:
        if self._pipeline is not None:
            await self._pipeline.finish()
            self._check(self._pipeline.refused)

    async def abort(self) -> None:
        if self._pipeline is not None:
            await self._pipeline.abort()

    def _check(self, refused: Sequence[tuple[int, str]]) -> None:
        for offset, reason in refused:
            raise UserError(f"the record that was rejected at offset {offset} can't be sent again: {reason}")

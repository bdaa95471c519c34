"""Sending JSON lines to the points topic: read, parsed, partitioned and sent at the same time, in bounded memory."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from compose.errors import UserError
from compose.input import ByteSource, chunks
from compose.known_collections import catalog_on
from compose.progress import Advance
from ingest.foreign import look_at
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import LogUnavailableError, Topic
from ingest.produce.lines import LineError, LineParser, LineSplitter
from ingest.produce.partitioner import partition_of
from ingest.produce.pipeline import Numbered, Pipeline

SHOWN_SKIPS = 20
SHOWN_FIELDS = 20
MOST_COLLECTIONS = 1000
"""So many names of collections are kept to be looked up."""


@dataclass(frozen=True, slots=True)
class ProduceOptions:
    """See ``headwater produce --help``."""

    collection: str | None = None
    key: str = "id"
    partition: int | None = None
    skip_bad: bool = False


@dataclass(slots=True)
class Seen:
    """In how many lines something was, and in which first."""

    first: int
    lines: int = 1


@dataclass(slots=True)
class Produced:
    """How many lines are on the log, and why others are not; of those the first few."""

    sent: int = 0
    skipped: int = 0
    reasons: list[LineError] = field(default_factory=list[LineError])
    unknown: dict[str, Seen] = field(default_factory=dict[str, "Seen"])
    """Fields that mean nothing, and so were ignored; a few of them."""
    missing: list[str] = field(default_factory=list[str])
    """Collections that lines name and that are not there."""

    def see_unknown(self, name: str, number: int) -> None:
        """Line ``number`` has a field that means nothing."""
        if name in self.unknown:
            self.unknown[name].lines += 1
        elif len(self.unknown) < SHOWN_FIELDS:
            self.unknown[name] = Seen(number)

    def skip(self, error: LineError) -> None:
        """One more that is not."""
        self.skipped += 1
        if len(self.reasons) < SHOWN_SKIPS:
            self.reasons.append(error)


async def produce(kafka: KafkaSettings, source: ByteSource, options: ProduceOptions, advance: Advance) -> Produced:
    """Send the lines of ``source``; returns once Kafka has acknowledged them all.

    Raises UserError where a line can't be sent, unless such lines are skipped, and when Kafka fails. Lines before the
    one that the message names are on the log then.
    """
    log = await KafkaLog.open(kafka, create=False)
    try:
        return await _Production(log, options, advance).run(source)
    finally:
        await log.close()


class _Production:
    def __init__(self, log: KafkaLog, options: ProduceOptions, advance: Advance) -> None:
        partitions = log.partitions(Topic.POINTS)
        if options.partition is not None and not 0 <= options.partition < partitions:
            raise UserError(f"points has {partitions} partitions, there is no {options.partition}")
        self._partitions = partitions
        self._options = options
        self._advance = advance
        self._log = log
        self._collections: set[str] = set()
        self._lines = LineSplitter()
        self._parser = LineParser(options.collection, options.key)
        self._pipeline = Pipeline(log)
        self._produced = Produced()
        self._unsent: defaultdict[int, list[Numbered]] = defaultdict(list)

    async def run(self, source: ByteSource) -> Produced:
        try:
            async for chunk in chunks(source):
                await self._send(self._lines.feed(chunk))
            await self._send(self._lines.finish())
            await self._finish()
        except LogUnavailableError as error:
            await self._pipeline.abort()
            raise UserError(f"{error}. {self._where_it_stopped()}") from error
        except asyncio.CancelledError:
            await self._pipeline.abort()
            raise UserError(f"interrupted. {self._where_it_stopped()}") from None
        self._produced.sent = self._pipeline.acknowledged
        self._produced.missing = await self._missing()
        return self._produced

    async def _missing(self) -> list[str]:
        """Which of the collections that lines named are not there."""
        try:
            catalog = await catalog_on(self._log)
        except LogUnavailableError:
            return []  # every line is on the log, which is what was asked for
        return [] if catalog is None else sorted(n for n in self._collections if catalog.resolve(n) is None)

    async def _send(self, lines: Iterator[tuple[int, bytes]]) -> None:
        stop: LineError | None = None
        try:
            for number, line in lines:
                self._take(number, line)
        except LineError as error:
            stop = error
        for partition in list(self._unsent):
            await self._pipeline.send(partition, self._unsent[partition])
            del self._unsent[partition]
        await self._note_refused()
        self._advance(self._pipeline.acknowledged)
        if stop is not None:
            await self._finish()
            raise UserError(f"{stop}. The lines before it were sent; those from it on were not.")

    def _take(self, number: int, line: bytes) -> None:
        try:
            message = self._parser.message(number, line)
        except LineError as error:
            if not self._options.skip_bad:
                raise
            self._produced.skip(error)
            return
        self._note(number, message.value or b"")
        chosen = self._options.partition
        partition = partition_of(message.key, self._partitions) if chosen is None else chosen
        self._unsent[partition].append((number, message))

    def _note(self, number: int, value: bytes) -> None:
        name, unknown = look_at(value)
        if name is not None and len(self._collections) < MOST_COLLECTIONS:
            self._collections.add(name)
        for field_name in unknown:
            self._produced.see_unknown(field_name, number)

    async def _finish(self) -> None:
        await self._pipeline.finish()
        await self._note_refused()
        self._advance(self._pipeline.acknowledged)

    async def _note_refused(self) -> None:
        refused, self._pipeline.refused = self._pipeline.refused, []
        for number, reason in refused:
            error = LineError(number, reason)
            if not self._options.skip_bad:
                await self._pipeline.finish()
                raise UserError(f"{error}. The lines before it were sent, and some after it.")
            self._produced.skip(error)

    def _where_it_stopped(self) -> str:
        in_flight = self._pipeline.first_missing
        missing = [messages[0][0] for messages in self._unsent.values()]
        first = min([*missing, self._lines.number + 1 if in_flight is None else in_flight])
        return f"The lines before line {first} were sent; some from it on may be on the log too."

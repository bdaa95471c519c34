"""CatalogFeed: the catalog for readers in other processes."""

import asyncio
from collections.abc import Sequence

import structlog

from projector.catalog.state import CatalogState, MarkerOffset
from projector.catalog.store import CatalogStore
from projector.feed.format import FeedKind, FeedSource
from projector.feed.messages import CatalogChange, CatalogCheckpoint, CatalogMarkers, encode
from projector.feed.pause_note import PauseNote
from projector.feed.recent import Recent
from projector.feed.writer import FeedWriter
from projector.folders import StateFolder
from schemas.operations import Outcome

CHANGES_BYTES = 1 << 20
"""A file takes at least so many bytes of changes, and as many as its checkpoint has: what is written is at most twice
what changes."""
RETRY_SECONDS = 1.0

_logger = structlog.get_logger("headwater.feed")


class CatalogFeed:
    """One generation of the catalog's feed. ``publish`` is what a CatalogRunner publishes to.

    It listens to a CatalogService, and is closed before that is.
    """

    def __init__(self, folder: StateFolder, identity: str, *, changes_bytes: int = CHANGES_BYTES) -> None:
        """Nothing is written before the first ``publish``, which begins the generation. ``identity`` is the log's."""
        self._folder = folder
        self._source = FeedSource(FeedKind.CATALOG, 0, identity)
        self._changes_bytes = changes_bytes
        self._writer: FeedWriter | None = None
        self._note: PauseNote | None = None
        self._full_at = 0
        self._pending: list[bytes] = []
        self._retry: asyncio.TimerHandle | None = None
        self._state = CatalogState()
        self._offset = -1
        self._markers: Recent[Sequence[MarkerOffset]] = Recent(-1)
        self._outcomes: Recent[Sequence[Outcome]] = Recent(-1)

    def publish(
        self, offset: int, state: CatalogState, outcomes: Sequence[Outcome], markers: Sequence[MarkerOffset]
    ) -> None:
        """The catalog at ``offset`` is ``state``; its last record caused ``markers``.

        Raises OSError where there is no generation yet. Later, what the disk doesn't take now is written once it does.
        """
        if self._writer is None:
            # What became of the records so far was told by the generation before, if by any.
            self._markers, self._outcomes = Recent(offset), Recent(offset)
        old, self._state, self._offset = self._state, state, offset
        if markers:
            self._markers.add(offset, markers)
        if outcomes:
            self._outcomes.add(offset, outcomes)
        self._markers.advance(offset)
        self._outcomes.advance(offset)
        if self._writer is None:
            self._writer = FeedWriter(self._folder.catalog_feed, self._source, self._checkpoint())
            self._writer.show()
            self._note = PauseNote(self._folder.catalog_pause_note)
            self._full_at = self._next_full(self._writer)
            return
        self._pending.append(encode(_change(offset, old, state, outcomes, markers)))
        if self._retry is None:
            self._write_pending(self._writer)

    def paused(self, reason: str | None) -> None:
        """Let readers know why nothing is applied now; None: it is. Nothing before the first ``publish``."""
        if self._note is not None:
            self._note.say(reason)

    def add_catalog(self, store: CatalogStore) -> None:
        """Nothing is published yet."""

    async def remove_catalog(self) -> None:
        """Nothing will be published any more."""
        self.close()

    def _write_pending(self, writer: FeedWriter) -> None:
        self._retry = None
        try:
            writer.write(self._pending)
            self._pending = []
            if writer.size >= self._full_at:
                self._roll(writer)
        except OSError as error:
            _logger.error("catalog's feed not written", reason=str(error), next_try_in_seconds=RETRY_SECONDS)
            self._retry = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._write_pending, writer)

    def close(self) -> None:
        """Close the file; readers may go on reading it."""
        if self._retry is not None:
            self._retry.cancel()
        if self._writer is not None:
            self._writer.close()
        if self._note is not None:
            self._note.close()
            self._note = None

    def _roll(self, writer: FeedWriter) -> None:
        writer.roll(self._checkpoint())
        # Readers that have it open read it to its end.
        writer.drop_first()
        self._full_at = self._next_full(writer)

    def _next_full(self, writer: FeedWriter) -> int:
        return writer.size + max(writer.size, self._changes_bytes)

    def _checkpoint(self) -> bytes:
        state = self._state
        return encode(
            CatalogCheckpoint(
                self._offset,
                list(state.collections.values()),
                dict(state.aliases),
                self._outcomes.known_after,
                [CatalogMarkers(offset, list(markers)) for offset, markers in self._markers.items()],
                [(offset, list(outcomes)) for offset, outcomes in self._outcomes.items()],
            )
        )


def _change(
    offset: int,
    old: CatalogState,
    new: CatalogState,
    outcomes: Sequence[Outcome],
    markers: Sequence[MarkerOffset],
) -> CatalogChange:
    changed = [meta for name, meta in new.collections.items() if old.collections.get(name) is not meta]
    aliases: dict[str, str | None] = {a: name for a, name in new.aliases.items() if old.aliases.get(a) != name}
    aliases.update(dict.fromkeys(old.aliases.keys() - new.aliases.keys()))
    return CatalogChange(
        offset,
        changed,
        sorted(old.collections.keys() - new.collections.keys()),
        aliases,
        list(markers),
        list(outcomes),
    )

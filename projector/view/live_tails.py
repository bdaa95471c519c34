"""LiveTails: what came since the segments of a live shard, in tails that are let go of whole."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from projector.view.part import ALIVE, died_since
from projector.view.tail import Tail
from projector.view.tail_part import TailPart
from schemas.config import CollectionConfig
from schemas.ids import PointId

FULL_ROWS = 10_000
FULL_BYTES = 8 << 20
"""A tail with so many rows, or bytes, is followed by another one. Whatever is done with all of a tail, on the event
loop, is short then: to grow it, to copy what is not sealed of it, to free it."""
COPIED = 8
"""An eighth of what fills a tail may come to one while it is sealed, and is copied then; what comes later goes into
another one. At once it does not: where seals fail, there would be another tail after each."""

Deaths = tuple[list[PointId], NDArray[np.uint64]]
"""Which points died, and at which offsets."""


class LiveTail:
    """A tail whose rows keep dying, and its part of the view."""

    def __init__(self, tail: Tail, part: TailPart, alive: int) -> None:
        self.tail = tail
        self.part = part
        self.alive = alive
        self.changed = False


class LiveTails:
    """The tails of one live shard, oldest first; the last one grows.

    If a point is alive it is so in the newest tail that has a row of it: it is dead in the others and in every segment.
    """

    def __init__(self, config: CollectionConfig, offset: int) -> None:
        self._config = config
        self._sealed = 0
        """How many rows of the last tail a seal took, if one did since it was begun."""
        self._tails = [_begin(config, offset)]

    def reconfigure(self, config: CollectionConfig) -> None:
        """Use another configuration, in all tails."""
        self._config = config
        for live in self._tails:
            live.tail.reconfigure(config)
            live.changed = True

    def begin_seal(self) -> None:
        """A seal takes what is visible."""
        self._sealed = self._tails[-1].part.size

    def append(self, ids: Sequence[PointId], points: Sequence[bytes], offset: int) -> None:
        """Append rows that come with ``offset``; ids are distinct, and dead (``kill``)."""
        live = self._tails[-1]
        if self._is_over(live.tail):
            self._sealed = 0
            live = _begin(self._config, live.part.offset)
            self._tails.append(live)
        live.tail.append(ids, points, offset)
        live.alive += len(ids)
        live.changed = True

    def _is_over(self, tail: Tail) -> bool:
        """Whether the last tail takes no more rows."""
        sealed = self._sealed
        if sealed and tail.fills(sealed, FULL_ROWS // COPIED, FULL_BYTES // COPIED):
            return True
        return tail.fills(0, FULL_ROWS, FULL_BYTES)

    def kill(self, ids: Sequence[PointId], offset: int) -> Sequence[PointId]:
        """Let points die at ``offset`` where they are alive; ids are distinct. Returns those that no tail has."""
        left = ids
        for live in reversed(self._tails):
            if live.tail.has_none_of(left):
                continue
            rows = live.tail.latest(left)
            here = rows >= 0
            live.alive -= live.tail.kill(rows[here], offset)
            live.changed = True
            left = [point_id for point_id, row in zip(left, rows.tolist(), strict=True) if row < 0]
        return left

    def kill_one(self, point_id: PointId, offset: int) -> bool:
        """``kill`` of one point. Returns whether a tail has a row of it."""
        for live in reversed(self._tails):
            tail = live.tail
            row = tail.row_of(point_id, tail.size)
            if row >= 0:
                if tail.kill_one(row, offset):
                    live.alive -= 1
                    live.changed = True
                return True
        return False

    def publish(self, offset: int) -> tuple[TailPart, ...]:
        """The parts of a view at ``offset``, of everything that is staged."""
        for live in self._tails:
            if live.changed:
                live.part = TailPart(live.tail, live.tail.size, offset, live.alive, self._config.payload_indexes)
                live.changed = False
        return self.parts

    @property
    def parts(self) -> tuple[TailPart, ...]:
        """Those of the last view."""
        return tuple([live.part for live in self._tails])

    def begin_with(self, parts: Sequence[TailPart]) -> bool:
        """Whether the oldest tails are those of ``parts``."""
        return len(parts) <= len(self._tails) and all(
            live.tail is part.tail for live, part in zip(self._tails, parts, strict=False)
        )

    def rows_up_to(self, offset: int) -> list[int]:
        """How many rows of each tail came with ``offset`` or before."""
        return [live.tail.rows_up_to(offset) for live in self._tails]

    def cut(self, sealed: Sequence[int], offset: int, visible: int, *, keep_dead: bool) -> list[Deaths]:
        """Leave out the first ``sealed`` rows of each tail, of the oldest ones, which segments have as they were at
        ``offset``; where a tail is not left out whole and unless ``keep_dead``, those that died by ``visible``, the
        view's offset, too. Returns which of the rows that are in segments died since ``offset``.
        """
        died: list[Deaths] = []
        kept: list[LiveTail] = []
        sealed = [*sealed, *[0] * (len(self._tails) - len(sealed))]
        for live, rows in zip(self._tails, sealed, strict=True):
            if rows:
                died.append(_deaths_in(live.tail, rows, offset))
            if rows < live.tail.size:
                kept.append(_without(live, rows, visible, keep_dead=keep_dead) if rows else live)
        self._tails = kept or [_begin(self._config, visible)]
        self._sealed = 0
        return died


def _begin(config: CollectionConfig, offset: int) -> LiveTail:
    tail = Tail(config)
    return LiveTail(tail, TailPart(tail, 0, offset, 0, config.payload_indexes), 0)


def _deaths_in(tail: Tail, rows: int, offset: int) -> Deaths:
    """Which of the first ``rows`` died since ``offset``."""
    dead_at = tail.dead_at(rows)
    died = died_since(dead_at, offset)
    return tail.ids_at(died), dead_at[died]


def _without(live: LiveTail, sealed: int, visible: int, *, keep_dead: bool) -> LiveTail:
    """A copy without the first ``sealed`` rows."""
    tail, part = live.tail, live.part
    at = np.uint64(max(visible, 0))
    rows = np.flatnonzero(keep_dead | (tail.dead_at(tail.size)[sealed:] > at)) + sealed
    kept = tail.keep(rows)
    dead_at = kept.dead_at(kept.size)
    bound = int(np.searchsorted(rows, part.size))
    seen = TailPart(kept, bound, visible, int(np.count_nonzero(dead_at[:bound] > at)), part.indexes)
    copy = LiveTail(kept, seen, int(np.count_nonzero(dead_at == ALIVE)))
    copy.changed = True
    return copy

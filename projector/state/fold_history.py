"""By which versions of the fold a state was folded, and from which offset on.

A state may be older than the release that opens it, and the log before it gone. So a release goes on from whatever an
earlier one folded, by its own version, and the state keeps which version is behind what.
"""

from typing import NamedTuple

import msgspec

from projector.fold.effects import FOLD_VERSION
from projector.state.kv import Batch, KeyValue

FOLD_VERSION_KEY = b"m/fold"
"""Text: the version of the fold that the records after the applied offset are folded by."""
FOLD_HISTORY_KEY = b"m/folds"
"""MessagePack: FoldSpans, oldest first. Not there: ``FOLD_VERSION_KEY``'s was the only one."""
APPLIED_KEY = b"m/applied"

OLDEST_READABLE = 4
"""States of this version of the fold and later ones have keys and values as this release reads them."""


class FoldSpan(NamedTuple):
    """From the record at offset ``start`` on, ``version`` folded; what was half applied then was begun by the last."""

    start: int
    version: str


_decoder = msgspec.msgpack.Decoder(list[FoldSpan])
_encode = msgspec.msgpack.Encoder().encode


def fold_history(kv: KeyValue) -> list[FoldSpan]:
    """The versions that folded a state, oldest first; at least one."""
    kept = kv.get(FOLD_HISTORY_KEY)
    return [FoldSpan(0, (kv.get(FOLD_VERSION_KEY) or b"?").decode())] if kept is None else _decoder.decode(kept)


def is_readable(version: str) -> bool:
    """Whether this release can go on from what ``version`` of the fold wrote: none that is too old, or newer."""
    return (OLDEST_READABLE,) <= fold_rank(version) <= fold_rank(FOLD_VERSION)


def fold_rank(version: str) -> tuple[int, ...]:
    """The fold's and the evaluator's number; later versions have higher ones. (0,) for what is no version."""
    fold, _, evaluator = version.partition("/")
    try:
        return int(fold), int(evaluator.partition("/")[0])
    except ValueError:
        return (0,)


def begin_history(batch: Batch) -> None:
    """Put this release's version into a new state."""
    batch.put(FOLD_VERSION_KEY, FOLD_VERSION.encode())


def go_on(kv: KeyValue) -> None:
    """Note that this release's version folds from here on."""
    history = [*fold_history(kv), FoldSpan(kv.number(APPLIED_KEY), FOLD_VERSION)]
    batch = Batch()
    batch.put(FOLD_HISTORY_KEY, _encode(history))
    batch.put(FOLD_VERSION_KEY, FOLD_VERSION.encode())
    kv.write(batch)

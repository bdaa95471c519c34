"""Losses: ranges of the log that a state goes on without, since they were gone before they were applied.

A person accepts each, by a command; from then on the state says that it is less than what was once on the log.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from projector.state.fold_history import APPLIED_KEY
from projector.state.kv import Batch, KeyValue

LOSSES_KEY = b"m/losses"
"""MessagePack: Losses, oldest first; absent when there are none."""
_LAST_CHECKSUM = b"m/last"
_CURSOR = b"m/cursor"


class Loss(NamedTuple):
    """The offsets ``first`` to ``last``, both included; accepted at ``at_ms``, in milliseconds since 1970."""

    first: int
    last: int
    at_ms: int

    @property
    def offsets(self) -> int:
        """How many there are; how many of them had a record, nobody knows any more."""
        return self.last - self.first + 1


_decoder = msgspec.msgpack.Decoder(list[Loss])
_encode = msgspec.msgpack.Encoder().encode


def read_losses(kv: KeyValue) -> list[Loss]:
    """What was accepted so far, oldest first."""
    kept = kv.get(LOSSES_KEY)
    return [] if kept is None else _decoder.decode(kept)


def put_loss(batch: Batch, kv: KeyValue, until: int, at_ms: int) -> Loss:
    """Let ``until`` be the applied offset, which must be above the one there is, and note what is passed over.

    A record of which part was applied is among that: what was applied of it stays.
    """
    loss = Loss(kv.number(APPLIED_KEY), until, at_ms)
    batch.put(LOSSES_KEY, _encode([*read_losses(kv), loss]))
    batch.put(APPLIED_KEY, (until + 1).to_bytes(8, "big"))
    # Of the record at that offset nothing is known, so that none can be found to be another one.
    batch.delete(_LAST_CHECKSUM)
    batch.delete(_CURSOR)
    return loss


def tell(losses: Sequence[Loss]) -> str:
    """The ranges, for people."""
    return ", ".join(f"offsets {loss.first} to {loss.last}" for loss in losses)

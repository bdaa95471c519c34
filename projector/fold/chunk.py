"""How much of a record is applied at once."""

from typing import NamedTuple


class ChunkLimit(NamedTuple):
    """A chunk goes on until it has looked at ``points``, or has read or written stored points of so many ``bytes``.

    Together tens of milliseconds of work. The point with which it has is the last one, whatever its size.
    """

    points: int = 2000
    bytes: int = 8 << 20

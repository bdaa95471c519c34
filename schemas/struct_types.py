"""Struct types, and threads.

msgspec looks through a type when it is first used, and keeps what it has found so far for others to use: where two
threads decode or convert to the same type for the first time at once, the process crashes. So decoders are made when
their module is imported, and ``look_through`` is for types that others convert to.
"""

from typing import Any

import msgspec


def look_through(*kinds: type[Any]) -> None:
    """Let msgspec look through ``kinds`` now, and through what their fields are of."""
    for kind in kinds:
        msgspec.json.Decoder(kind)

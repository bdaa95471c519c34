"""What is asked of a shard about indices of sparse vectors."""

import msgspec

from schemas.filters import Filter


class CountTerms(msgspec.Struct, frozen=True):
    """How many points that pass ``filter`` have a vector named ``using``, and how many have each index in it.

    ``terms``: the indices, uint32 each, ascending.
    """

    using: str
    terms: bytes
    filter: Filter | None = None

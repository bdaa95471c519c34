"""Destination: what of a foreign record is not at home in the partition it landed in."""

import msgspec


class Destination(msgspec.Struct, frozen=True, omit_defaults=True):
    """The part of a foreign record that its partition leaves to the router.

    ``name`` is what the record calls its collection. With ``uid`` and ``shards`` the collection is known to the
    partition, and these of its shards are not at home there. With neither, nothing of the record is: no shard of a
    collection of that name is at home, which may be an alias, or exist nowhere.
    """

    name: str
    uid: int | None = None
    shards: list[int] | None = None

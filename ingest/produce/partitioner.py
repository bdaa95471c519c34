"""Which partition a key belongs to, as Kafka's own clients have it: murmur2 of its bytes."""

from aiokafka.partitioner import murmur2

KEYLESS_PARTITION = 0
"""For messages without a key: one for all, so that they keep their order."""


def partition_of(key: bytes | None, partitions: int) -> int:
    """The partition, out of so many, of messages with ``key``."""
    if key is None:
        return KEYLESS_PARTITION
    return (murmur2(key) & 0x7FFFFFFF) % partitions

from typing import NamedTuple

from aiokafka import TopicPartition

class BrokerMetadata(NamedTuple):
    nodeId: int  # noqa: N815
    host: str
    port: int

class ClusterMetadata:
    def brokers(self) -> set[BrokerMetadata]: ...
    def leader_for_partition(self, partition: TopicPartition) -> int | None: ...
    def partitions_for_topic(self, topic: str) -> set[int] | None: ...

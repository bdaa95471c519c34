from typing import Any

from aiokafka.protocol.api import Request

class OffsetCommitRequest(Request[Any]):
    def __init__(
        self,
        consumer_group: str,
        consumer_group_generation_id: int,
        consumer_id: str,
        retention_time: int,
        topics: list[tuple[str, list[tuple[int, int, str]]]],
    ) -> None: ...

class OffsetFetchRequest(Request[Any]):
    def __init__(self, consumer_group: str, partitions: list[tuple[str, list[int]]] | None) -> None: ...

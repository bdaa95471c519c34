from typing import NamedTuple

class TP(NamedTuple):
    topic: str
    partition: int

class ConsumerMessage:
    topic: str
    partition: int
    offset: int
    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        timestamp: float,
        timestamp_type: int,
        headers: None,
        key: bytes | None,
        value: bytes | None,
        checksum: int | None,
        serialized_key_size: int = ...,
        serialized_value_size: int = ...,
        tp: TP | None = ...,
        *,
        generation_id: int = ...,
    ) -> None: ...

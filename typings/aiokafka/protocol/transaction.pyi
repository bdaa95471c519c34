from typing import Any

from aiokafka.protocol.api import Request

class InitProducerIdRequest(Request[Any]):
    def __init__(self, transactional_id: str | None, transaction_timeout_ms: int) -> None: ...

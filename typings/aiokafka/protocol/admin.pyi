from typing import Any

from aiokafka.protocol.api import Request

class ListGroupsRequest(Request[Any]):
    def __init__(self) -> None: ...

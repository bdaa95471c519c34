from typing import Any

from aiokafka.protocol.api import Request

class ListGroupsRequest(Request[Any]):
    def __init__(self) -> None: ...

class DescribeConfigsRequest(Request[Any]):
    def __init__(self, resources: list[Any], include_synonyms: bool = ...) -> None: ...

class DescribeGroupsRequest(Request[Any]):
    def __init__(self, groups: list[str], include_authorized_operations: bool = ...) -> None: ...

from typing import Any, ClassVar, Generic, TypeVar

from aiokafka.protocol.types import Schema

T = TypeVar("T", bound=RequestStruct)

class Struct:
    SCHEMA: ClassVar[Schema]
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def get_item(self, name: str) -> Any: ...

class Response(Struct):
    API_KEY: ClassVar[int]
    API_VERSION: ClassVar[int]

class RequestStruct(Struct):
    FLEXIBLE_VERSION: ClassVar[bool]
    API_KEY: ClassVar[int]
    API_VERSION: ClassVar[int]
    RESPONSE_TYPE: ClassVar[type[Response]]

class Request(Generic[T]):
    API_KEY: ClassVar[int]
    def build(self, request_struct_class: type[T]) -> T: ...

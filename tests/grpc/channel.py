"""Calls to a server, with messages as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf import json_format

from compose.grpc.messages import load, message_class, service
from tests.support.http import HOST

TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answered:
    """How a call ended: its code, what it says about it, the response as JSON, and what came after it."""

    code: str
    details: str
    response: Any
    metadata: dict[str, str]


class Calls:
    """A channel to a server on this machine."""

    def __init__(self, port: int, options: Sequence[tuple[str, Any]] = ()) -> None:
        load()
        self.port = port
        self.channel: Any = grpc.insecure_channel(f"{HOST}:{port}", options=list(options))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()

    def call(self, method: str, request: dict[str, Any] | None = None, **options: Any) -> Answered:
        """Call ``SERVICE/METHOD``, where the service is named without its package."""
        name, _, called = method.partition("/")
        descriptor: Any = service(f"qdrant.{name}").methods_by_name[called]
        message = json_format.ParseDict(request or {}, message_class(descriptor.input_type)())
        response: Any = message_class(descriptor.output_type)
        return self.send(f"/qdrant.{method}", message.SerializeToString(), response.FromString, **options)

    def send(self, path: str, data: bytes, read: Any = None, **options: Any) -> Answered:
        """Send any bytes."""
        stub = self.channel.unary_unary(path, response_deserializer=read)
        try:
            answer, call = stub.with_call(data, **{"timeout": TIMEOUT_SECONDS, **options})
        except grpc.RpcError as raised:
            error: Any = raised
            return Answered(error.code().name, error.details(), None, {})
        shown = None if read is None else json_format.MessageToDict(answer, preserving_proto_field_name=True)
        return Answered("OK", "", shown, dict(call.trailing_metadata()))

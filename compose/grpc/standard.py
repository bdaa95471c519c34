"""Health and reflection, as gRPC's libraries have them; but a message that is none is told from a failure of theirs."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, cast

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

_REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"

_Handlers = Mapping[str, Any]
_grpc: Any = grpc


class StandardServices:
    """Those of one server."""

    def __init__(self, server: Any, names: Sequence[str]) -> None:
        """Adds them to ``server``; ``names`` are those of its other services."""
        self._names = names
        self._health = health.aio.HealthServicer()
        gathered = _Gathered()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, gathered)
        told = (*names, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflect: Any = reflection.aio.ReflectionServicer(told)
        cast("Any", reflection_pb2_grpc).add_ServerReflectionServicer_to_server(reflect, gathered)
        # Tools ask for the newer name first: its messages have the same bytes.
        gathered.services[_REFLECTION_V1] = gathered.services[reflection.SERVICE_NAME]
        for name, handlers in gathered.services.items():
            checked = {method: _checked(handler) for method, handler in handlers.items()}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, checked),))

    async def start(self) -> None:
        """Say that all services are there."""
        for name in ("", *self._names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Say that they are not, any more."""
        await self._health.enter_graceful_shutdown()


class _Gathered:
    """Takes what the libraries would have a server take."""

    def __init__(self) -> None:
        self.services: dict[str, _Handlers] = {}

    def add_generic_rpc_handlers(self, _: object) -> None:
        return

    def add_registered_method_handlers(self, name: str, handlers: _Handlers) -> None:
        self.services[name] = handlers


def _checked(handler: Any) -> Any:
    """The same handler, for messages as they were sent."""
    parse, behaviour = handler.request_deserializer, handler
    serialize = handler.response_serializer
    if handler.request_streaming:

        async def answer_all(messages: AsyncIterator[bytes], context: Any) -> AsyncIterator[Any]:
            async for answer in behaviour.stream_stream(_parsed_all(parse, messages, context), context):
                yield answer

        return _grpc.stream_stream_rpc_method_handler(answer_all, response_serializer=serialize)
    if handler.response_streaming:

        async def watch(data: bytes, context: Any) -> None:
            await behaviour.unary_stream(await _parsed(parse, data, context), context)

        return _grpc.unary_stream_rpc_method_handler(watch, response_serializer=serialize)

    async def answer(data: bytes, context: Any) -> Any:
        return await behaviour.unary_unary(await _parsed(parse, data, context), context)

    return _grpc.unary_unary_rpc_method_handler(answer, response_serializer=serialize)


async def _parsed(parse: Callable[[bytes], Any], data: bytes, context: Any) -> Any:
    try:
        return parse(data)
    except DecodeError:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The message is not what this method takes")


async def _parsed_all(
    parse: Callable[[bytes], Any], messages: AsyncIterator[bytes], context: Any
) -> AsyncIterator[Any]:
    async for data in messages:
        yield await _parsed(parse, data, context)

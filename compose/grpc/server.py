"""GrpcServer: the contract's services, health and reflection, on a port of their own."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Processes are started by exec: gRPC need not look after its threads, nor complain that it can't.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc
import grpc.aio

from compose.grpc.calls import CallHandler
from compose.grpc.messages import SERVICES, load, message_class, service
from compose.grpc.parsed_size import ParsedSizes
from compose.grpc.routes import ROUTES
from compose.grpc.standard import StandardServices
from compose.http.access import Access
from compose.http.server import AddressInUseError
from ingest.http.endpoint import Endpoint
from ingest.http.limits import InFlight, Limits

GRACE_SECONDS = 5.0
MAX_STREAMS = 1024
"""Of a connection at a time; a client keeps more of them waiting by itself."""
MAX_CALLS = 4096
"""Of all connections."""
MAX_METADATA_BYTES = 64 << 10
"""Of a call: tokens name an offset of each partition."""
_PINGS = (
    # Who is gone without a word is noticed within minutes, and its calls with it.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Clients may ask as often as they like whether the server is there, which costs nothing.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),
)
PARSED_TO_SENT = 4
"""What a message may take once it is read, to what the largest may have as it is sent."""


class GrpcServer:
    """Answers calls on one port. For the running event loop."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        access: Access,
        limits: Limits,
        in_flight: InFlight,
        *,
        shared: bool = False,
    ) -> None:
        """``endpoints`` are those of REST, ``in_flight`` counts the bodies of both.

        ``shared``: other processes may listen on the same port.
        """
        load()
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", limits.max_body_bytes),
                # What is answered is bounded as it is rendered; this is for what isn't rendered.
                ("grpc.max_send_message_length", 2 * limits.max_answer_bytes),
                ("grpc.max_concurrent_streams", MAX_STREAMS),
                ("grpc.max_metadata_size", MAX_METADATA_BYTES),
                ("grpc.so_reuseport", int(shared)),
                *_PINGS,
            ],
            maximum_concurrent_rpcs=MAX_CALLS,
        )
        requests = [message_class(method.input_type) for name in SERVICES for method in service(name).methods]
        parsing = asyncio.Lock()
        sizes = ParsedSizes(requests, PARSED_TO_SENT * limits.max_body_bytes)
        by_route = {(endpoint.method, endpoint.path): endpoint for endpoint in endpoints}
        for name in SERVICES:
            handlers: dict[str, Any] = {}
            for method in service(name).methods:
                route = ROUTES[name].get(method.name)
                endpoint = None if route is None else by_route.get((route.method, route.path))
                if route is None or endpoint is None:
                    continue
                messages = message_class(method.input_type), message_class(method.output_type)
                called = f"/{name}/{method.name}"
                handler = CallHandler(called, route, endpoint, messages, access, limits, in_flight, sizes, parsing)
                handlers[method.name] = grpc.stream_unary_rpc_method_handler(handler.answer)
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
        self._standard = StandardServices(self._server, SERVICES)

    def listen(self, host: str, port: int, certificate: tuple[Path | None, Path | None]) -> int:
        """Take the address; the port, which is a free one for 0. ``certificate``: a chain and its key; neither: no TLS.

        Raises AddressInUseError.
        """
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            chain, key = certificate
            if chain is None or key is None:
                return self._server.add_insecure_port(address)
            pair = key.read_bytes(), chain.read_bytes()
            return self._server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        except RuntimeError as error:
            raise AddressInUseError(
                f"can't listen on {host}:{port} for gRPC: something else may; see --grpc-port and --no-grpc"
            ) from error

    async def start(self) -> None:
        """Answer from now on."""
        await self._standard.start()
        await self._server.start()

    async def stop(self) -> None:
        """Take no more calls; those in flight have some seconds to finish."""
        await self._standard.stop()
        await self._server.stop(GRACE_SECONDS)

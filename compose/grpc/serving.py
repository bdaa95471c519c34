"""gRPC beside an application of REST, as an operator set it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from compose.http.application import HeadwaterApp
from compose.settings import Settings

_LAST_PORT = 65535


@asynccontextmanager
async def serving_grpc(app: HeadwaterApp, settings: Settings, *, shared: bool = False) -> AsyncGenerator[int | None]:
    """Answer calls meanwhile; gives the port, None where gRPC isn't wanted.

    ``shared``: other processes listen on the same port. Raises AddressInUseError, OSError for a certificate that
    can't be read.
    """
    if not settings.grpc:
        yield None
        return
    # Where it isn't wanted it need not be imported.
    from compose.grpc.server import GrpcServer

    server = GrpcServer(app.endpoints, app.access, app.limits, app.in_flight, shared=shared)
    certificate = settings.tls_cert, settings.tls_key
    port = server.listen(settings.host, _port(settings), certificate)
    await server.start()
    try:
        yield port
    finally:
        await server.stop()


def _port(settings: Settings) -> int:
    """Beside that of REST unless told otherwise, so that two servers need no more than a port each."""
    if settings.grpc_port is not None:
        return settings.grpc_port
    return settings.port + 1 if 0 < settings.port < _LAST_PORT else 0

"""gRPC beside an application of REST, as an operator set it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from compose.http.application import HeadwaterApp
from compose.settings import Settings


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
    port = server.listen(settings.host, settings.port_of_grpc, certificate)
    await server.start()
    try:
        yield port
    finally:
        await server.stop()

"""``headwater serve``: everything in one process, over the embedded log."""

from typing import Annotated

import typer

from compose.commands.options import Data, Grpc, GrpcPort, LogLevel, make_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (default 6333).")] = None,
    grpc: Grpc = None,
    grpc_port: GrpcPort = None,
    data: Data = None,
    partitions: Annotated[int | None, typer.Option(help="Points partitions of a new log (default 1).")] = None,
    log_level: LogLevel = None,
    demo: Annotated[bool, typer.Option("--demo", help="Load 10,000 English words and show what to ask.")] = False,
) -> None:
    """Serve Qdrant's REST API over the embedded log."""
    settings = make_settings(
        host=host,
        port=port,
        grpc=grpc,
        grpc_port=grpc_port,
        data=data,
        partitions=partitions,
        log_level=log_level,
    )
    import uvloop

    from compose.descriptors import raise_descriptor_limit
    from compose.malloc import keep_little_free_memory
    from compose.server import serve as serve_node

    keep_little_free_memory()
    raise_descriptor_limit()
    if demo:
        from compose.demo import load_demo

        uvloop.run(serve_node(settings, load_demo))
    else:
        uvloop.run(serve_node(settings))

"""``headwater serve``: everything over the embedded log, in one process or with several that answer requests."""

import os
from typing import TYPE_CHECKING, Annotated

from compose.command_line import option
from compose.commands.options import Data, Grpc, GrpcPort, LogLevel, Workers, make_settings
from compose.settings import Settings
from projector.garbage import made_to_stay

if TYPE_CHECKING:
    from compose.server import Started


def serve(
    host: Annotated[str | None, option(help="Address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[int | None, option(help="Port to listen on (default 6333).")] = None,
    grpc: Grpc = None,
    grpc_port: GrpcPort = None,
    workers: Workers = None,
    data: Data = None,
    partitions: Annotated[int | None, option(help="Points partitions of a new log (default 1).")] = None,
    log_level: LogLevel = None,
    demo: Annotated[bool, option("--demo", help="Load 10,000 English words and show what to ask.")] = False,
) -> None:
    """Serve Qdrant's REST API over the embedded log.

    One process does everything. With --workers N, 2 or more, so many answer requests, and one more writes.
    """
    settings = make_settings(
        host=host,
        port=port,
        grpc=grpc,
        grpc_port=grpc_port,
        workers=workers,
        data=data,
        partitions=partitions,
        log_level=log_level,
    )
    from compose.descriptors import raise_descriptor_limit
    from projector.malloc import give_back_at_rest, keep_little_free_memory

    keep_little_free_memory()
    give_back_at_rest()
    raise_descriptor_limit()
    if settings.workers > 1:
        _serve_in_several_processes(settings, demo)
    else:
        _serve_in_one_process(settings, demo)


def _serve_in_one_process(settings: Settings, demo: bool) -> None:
    with made_to_stay():
        import uvloop

        from compose.server import serve as serve_node

    uvloop.run(serve_node(settings, _beside(demo)))


def _serve_in_several_processes(settings: Settings, demo: bool) -> None:
    from compose.api.run_folder import run_folder
    from compose.metrics_folder import FOLDER_VARIABLE

    with run_folder() as folder:
        metrics = folder / "metrics"
        metrics.mkdir()
        # Before anything is imported that measures.
        os.environ[FOLDER_VARIABLE] = str(metrics)
        with made_to_stay():
            import uvloop

            from compose.several_processes import serve as serve_node

        uvloop.run(serve_node(settings, folder, _beside(demo)))


def _beside(demo: bool) -> "Started | None":
    if not demo:
        return None
    from compose.demo import load_demo

    return load_demo

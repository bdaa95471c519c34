"""``headwater projector``: a worker that folds what is in Kafka."""

from typing import Annotated

from compose.command_line import option
from compose.commands.options import Data, Group, Kafka, LogLevel, Partitions, Prefix, kafka_settings, make_settings


def projector(
    data: Data = None,
    kafka: Kafka = None,
    prefix: Prefix = None,
    partitions: Partitions = None,
    group: Group = None,
    route: Annotated[
        bool | None,
        option("--route/--no-route", help="Forward records to where they are at home; one group does (default)."),
    ] = None,
    host: Annotated[str | None, option(help="Address of the admin port (default 127.0.0.1).")] = None,
    admin_port: Annotated[int | None, option(help="Port for /metrics, /livez, /readyz (default 6335).")] = None,
    log_level: LogLevel = None,
) -> None:
    """Fold what is in Kafka into state, segments and feeds of a data folder, for apis to read.

    Workers of a group share the partitions and the data folder; another group, with a folder of its own, is a replica.
    """
    settings = make_settings(
        data=data,
        kafka=kafka,
        prefix=prefix,
        partitions=partitions,
        group=group,
        route=route,
        host=host,
        admin_port=admin_port,
        log_level=log_level,
    )
    kafka_settings(settings)
    import uvloop

    from compose.descriptors import raise_descriptor_limit
    from compose.projector.run import run_projector
    from projector.malloc import give_back_at_rest, keep_little_free_memory

    keep_little_free_memory()
    give_back_at_rest()
    raise_descriptor_limit()
    uvloop.run(run_projector(settings))

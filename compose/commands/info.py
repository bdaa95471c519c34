"""``headwater info``: what there is."""

import asyncio

from compose.commands.options import Data, Kafka, Prefix, make_settings
from compose.console import plain_console


def info(data: Data = None, kafka: Kafka = None, prefix: Prefix = None) -> None:
    """Show the log and what a data folder holds: state, collections."""
    settings = make_settings(data=data, kafka=kafka, prefix=prefix)
    from compose.inspect import describe

    asyncio.run(describe(settings, plain_console()))

"""The compiled messages of Qdrant's contract, as qdrant-client ships them."""

import importlib.util
import sys
from functools import cache
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_PACKAGE = "qdrant_client"
_NAME = "compose.grpc.contract"
SERVICES = ("qdrant.Collections", "qdrant.Points", "qdrant.Snapshots", "qdrant.Qdrant")


def load() -> None:
    """Register the messages. Raises ModuleNotFoundError.

    The package itself brings a whole client, whose import takes two seconds of CPU; its messages take a tenth of one.
    """
    if _NAME in sys.modules:
        return
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError(f"{_PACKAGE} is not installed", name=_PACKAGE)
    folder = f"{package.submodule_search_locations[0]}/grpc"
    spec = importlib.util.spec_from_file_location(_NAME, f"{folder}/__init__.py", submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{_PACKAGE}.grpc is not there", name=_PACKAGE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    spec.loader.exec_module(module)


def service(name: str) -> ServiceDescriptor:
    """A service of the contract, by its full name."""
    found: Any = descriptor_pool.Default().FindServiceByName(name)  # pyright: ignore[reportUnknownMemberType]
    return found


@cache
def message_named(name: str) -> type[Message]:
    """The class of a message of the contract, by its full name."""
    found: Any = descriptor_pool.Default().FindMessageTypeByName(name)  # pyright: ignore[reportUnknownMemberType]
    return GetMessageClass(found)


def message_class(descriptor: Any) -> type[Message]:
    """The class of a message."""
    return GetMessageClass(descriptor)

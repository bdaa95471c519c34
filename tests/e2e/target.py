"""What the tests of this folder run against: the embedded server, or a cluster."""

from typing import Protocol


class Target(Protocol):
    """A REST API on a port of this machine, served by processes of its own."""

    @property
    def port(self) -> int:
        """Where it answers."""
        ...

    @property
    def url(self) -> str:
        """The same."""
        ...

    @property
    def grpc_port(self) -> int:
        """Where it answers over gRPC."""
        ...

    @property
    def examples(self) -> float:
        """What share of the random examples to run against it."""
        ...

    def alive(self) -> bool:
        """Whether all its processes run."""
        ...

    def resident_bytes(self) -> int:
        """The memory of the processes that answer requests."""
        ...

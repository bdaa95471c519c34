"""What the builder process and its parent say to each other: one JSON object a line."""

import msgspec

from projector.segments.spec import BuildResult

GRAPHS = "graphs"
"""To a process that is to build graphs, among its arguments."""


class Advanced(msgspec.Struct, frozen=True, tag="advanced"):
    """The fraction of the graph rows that are in."""

    fraction: float


class Built(msgspec.Struct, frozen=True, tag="built"):
    """The build is done."""

    result: BuildResult


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The build failed; ``damaged`` names the segment folder whose files are the reason."""

    reason: str
    damaged: str | None = None


Reply = Advanced | Built | Failed

"""What is answered about the building of segments."""

from typing import Any

import msgspec


class SegmentInfo(msgspec.Struct):
    """A segment, and how many points are alive in it."""

    uuid: str
    points_count: int


class Progress(msgspec.Struct):
    """How far something is: ``done`` of ``total`` parts."""

    name: str
    done: int
    total: int


class Optimization(msgspec.Struct):
    """Segments that are being built anew."""

    uuid: str
    optimizer: str
    status: str
    segments: list[SegmentInfo]
    progress: Progress


class PendingOptimization(msgspec.Struct):
    """Segments that wait for it."""

    optimizer: str
    segments: list[SegmentInfo]


class OptimizationsSummary(msgspec.Struct):
    """All of it in numbers."""

    queued_optimizations: int
    queued_segments: int
    queued_points: int
    idle_segments: int


class OptimizationsResult(msgspec.Struct, omit_defaults=True):
    """What is being built, what waits for it, and which segments are as they should be."""

    summary: OptimizationsSummary
    running: list[Optimization]
    queued: list[PendingOptimization] | msgspec.UnsetType = msgspec.UNSET
    completed: list[Any] | msgspec.UnsetType = msgspec.UNSET
    idle_segments: list[SegmentInfo] | msgspec.UnsetType = msgspec.UNSET

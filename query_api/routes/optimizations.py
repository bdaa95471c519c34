"""The route that tells how far the segments of a collection are."""

import uuid
from collections.abc import Sequence
from itertools import chain
from types import MappingProxyType

from ingest.http.endpoint import Call, Endpoint, Reply
from ingest.http.query import Parameters, read_count
from ingest.ports import Catalog
from query_api.ports import Readers, ShardBuild
from schemas.errors import BadInputError
from schemas.rest.optimizations import (
    Optimization,
    OptimizationsResult,
    OptimizationsSummary,
    PendingOptimization,
    Progress,
    SegmentInfo,
)

_FIELDS = frozenset({"queued", "completed", "idle_segments"})
_PARTS = 100
_OPTIMIZER = "indexing"


def _fields(name: str, text: str) -> frozenset[str]:
    asked = frozenset(filter(None, text.split(",")))
    for field in asked - _FIELDS:
        raise BadInputError(f"Wrong input: Unknown field in 'with' parameter: {field}")
    return asked


_PARAMETERS: Parameters = MappingProxyType({"with": _fields, "completed_limit": read_count})


class OptimizationRoutes:
    """Optimizations of collections. What was built is not remembered: the list of it is empty."""

    def __init__(self, catalog: Catalog, readers: Readers) -> None:
        self._catalog = catalog
        self._readers = readers

    def endpoints(self) -> list[Endpoint]:
        """The one there is."""
        return [
            Endpoint(
                "GET",
                "/collections/{collection_name}/optimizations",
                self._optimizations,
                "Get optimization progress",
                "Collections",
                result=OptimizationsResult,
                parameters=_PARAMETERS,
            )
        ]

    async def _optimizations(self, call: Call) -> Reply:
        builds = self._readers.builds(self._catalog.resolve(call.collection))
        asked: frozenset[str] = call.params.others.get("with", frozenset())
        running = [build for build in builds if build.progress is not None]
        waiting = [build for build in builds if build.progress is None and not build.up_to_date]
        idle = [build for build in builds if build.progress is None and build.up_to_date]
        queued = _segments(waiting)
        summary = OptimizationsSummary(
            len(waiting), len(queued), sum(segment.points_count for segment in queued), len(_segments(idle))
        )
        result = OptimizationsResult(summary, [_running(build) for build in running])
        if "queued" in asked:
            result.queued = [PendingOptimization(_OPTIMIZER, _segments([build])) for build in waiting]
        if "completed" in asked:
            result.completed = []
        if "idle_segments" in asked:
            result.idle_segments = _segments(idle)
        return Reply(result)


def _running(build: ShardBuild) -> Optimization:
    done = int((build.progress or 0.0) * _PARTS)
    segments = _segments([build])
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, "|".join(segment.uuid for segment in segments)))
    return Optimization(identity, _OPTIMIZER, "optimizing", segments, Progress(_OPTIMIZER, done, _PARTS))


def _segments(builds: Sequence[ShardBuild]) -> list[SegmentInfo]:
    named = chain.from_iterable(build.segments for build in builds)
    return [SegmentInfo(str(uuid.uuid5(uuid.NAMESPACE_OID, name)), points) for name, points in named]

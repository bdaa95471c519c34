"""What the optimizer counts, for /metrics."""

from prometheus_client import Counter, Gauge

from projector.segments.spec import BuildResult

BUILDS = Counter("headwater_segment_builds_total", "Segments built", ["kind"])
BUILD_FAILURES = Counter("headwater_segment_build_failures_total", "Segment builds that failed", ["kind"])
BUILD_SECONDS = Counter("headwater_segment_build_seconds_total", "Seconds spent on segment builds", ["kind"])
BUILD_BYTES = Counter("headwater_segment_build_bytes_total", "Bytes of the segments built", ["kind"])
GRAPH_PROGRESS = Gauge(
    "headwater_graph_build_fraction",
    "How far the running graph build is, 0 when none runs",
    multiprocess_mode="livemax",
)

TO_CHECK = Gauge(
    "headwater_segments_to_check",
    "Segments in use whose checksums were not compared since they were opened",
    multiprocess_mode="livesum",
)
CHECKED_BYTES = Counter("headwater_segment_checked_bytes_total", "Bytes of segments whose checksums were compared")
DAMAGED = Counter("headwater_segments_damaged_total", "Segments found to be damaged since the start")


def built(kind: str, seconds: float, result: BuildResult | None) -> None:
    """Count a build; ``result`` is None when there was nothing to build from."""
    BUILD_SECONDS.labels(kind).inc(seconds)
    if result is not None:
        BUILDS.labels(kind).inc()
        BUILD_BYTES.labels(kind).inc(result.bytes)

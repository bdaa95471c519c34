"""The right that each route takes, in one table. A path without a row takes the right to manage."""

from enum import IntEnum


class Right(IntEnum):
    """What a key lets its holder do; each includes those before it."""

    NONE = 0
    READ = 1
    MANAGE = 2


_C = "/collections/{collection_name}"
_P = f"{_C}/points"

OPEN_PATHS = frozenset(
    {"/", "/healthz", "/livez", "/readyz", "/dashboard", "/dashboard/page.css", "/dashboard/page.js"}
)
"""Answered without a key: load balancers ask them, as in Qdrant, and a page has to be there to ask for a key."""

READS: frozenset[tuple[str, str]] = frozenset(
    {
        *(
            ("GET", path)
            for path in (
                "/telemetry",
                "/metrics",
                "/issues",
                "/quotas",
                "/dashboard/status",
                "/cluster",
                "/cluster/telemetry",
                "/aliases",
                "/collections",
                "/snapshots",
                "/snapshots/{snapshot_name}",
                _C,
                f"{_C}/exists",
                f"{_C}/aliases",
                f"{_C}/cluster",
                f"{_C}/optimizations",
                f"{_C}/shards",
                f"{_C}/snapshots",
                f"{_C}/snapshots/{{snapshot_name}}",
                f"{_C}/shards/{{shard_id}}/snapshot",
                f"{_C}/shards/{{shard_id}}/snapshots",
                f"{_C}/shards/{{shard_id}}/snapshots/{{snapshot_name}}",
                f"{_P}/{{id}}",
            )
        ),
        *(
            ("POST", path)
            for path in (
                _P,
                f"{_C}/facet",
                f"{_P}/scroll",
                f"{_P}/count",
                f"{_P}/query",
                f"{_P}/query/batch",
                f"{_P}/query/groups",
                f"{_P}/search",
                f"{_P}/search/batch",
                f"{_P}/search/groups",
                f"{_P}/search/matrix/pairs",
                f"{_P}/search/matrix/offsets",
                f"{_P}/recommend",
                f"{_P}/recommend/batch",
                f"{_P}/recommend/groups",
                f"{_P}/discover",
                f"{_P}/discover/batch",
            )
        ),
    }
)


def required_right(method: str, path: str) -> Right:
    """The right that the endpoint ``path``, as its pattern is written, takes for ``method``."""
    if path in OPEN_PATHS and method in ("GET", "HEAD"):
        return Right.NONE
    return Right.READ if (method, path) in READS else Right.MANAGE

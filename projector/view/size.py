"""How much a view holds, about."""

from ingest.ports import StoredSize
from projector.vectors.registry import part_kind
from projector.view.segment_part import SegmentPart
from projector.view.shard_view import ShardView
from projector.view.tail_part import TailPart


def size_of(view: ShardView) -> StoredSize:
    """The points, and the bytes of their vectors and payloads as if dead ones were as large as those alive."""
    vectors = payloads = 0.0
    for part in view.parts:
        alive = part.alive_count / part.size if part.size else 0.0
        of_vectors = sum(
            held.rows * part_kind(view.config.names[name]).row_bytes
            for name in part.vector_names
            if (held := part.vectors(name)) is not None
        )
        vectors += of_vectors * alive
        if isinstance(part, SegmentPart):
            payloads += part.segment.payload_bytes * alive
        elif isinstance(part, TailPart):
            payloads += max(part.tail.points.size_of(0, part.size) - of_vectors, 0) * alive
    return StoredSize(view.count, int(vectors), int(payloads))

"""Limits on what a collection holds. They look at what is visible: writes on their way are not counted yet."""

from ingest.ports import CollectionEntry, Sizes
from schemas.operations import Operation, OverwritePayload, SetPayload, UpdateVectors, Upsert
from schemas.strict.refusals import refused
from schemas.strict_mode import StrictModeConfig

_ADVICE = "Delete points, or raise the limit in strict_mode_config"


def check_stored(strict: StrictModeConfig, entry: CollectionEntry, operation: Operation, sizes: Sizes) -> None:
    """Raise BadInputError when the operation would add to a collection that is as large as it may become."""
    adds = isinstance(operation, Upsert)
    points = strict.max_points_count if adds else None
    vectors = strict.max_collection_vector_size_bytes if adds or isinstance(operation, UpdateVectors) else None
    grows = adds or isinstance(operation, SetPayload | OverwritePayload)
    payload = strict.max_collection_payload_size_bytes if grows else None
    if points is None and vectors is None and payload is None:
        return
    stored = sizes.size_of(entry)
    for what, size, most in (
        ("points count", stored.points, points),
        ("vector storage size", stored.vector_bytes, vectors),
        ("payload storage size", stored.payload_bytes, payload),
    ):
        if most is not None and size >= most:
            raise refused(f"Max {what} limit of {most} reached, the collection has {size}", _ADVICE)

"""What strict mode asks of a write before it goes onto the log."""

from collections.abc import Sequence

from ingest.ports import CollectionEntry, Sizes
from ingest.strict.memory import check_memory
from ingest.strict.rates import RateLimits
from ingest.strict.stored import check_stored
from ingest.strict.vectors import check_points
from schemas.operations import Operation, UpdateVectors, Upsert
from schemas.strict.filters import check_write_filter
from schemas.strict.refusals import check_limit, refused


class StrictWrites:
    """Checks writes against the limits of their collections."""

    def __init__(self, sizes: Sizes, rates: RateLimits) -> None:
        self._sizes = sizes
        self._rates = rates

    def check(self, entry: CollectionEntry, operations: Sequence[Operation], timeout: int | None) -> None:
        """Raise BadInputError for a write that breaks a limit, RateLimitedError when there were too many.

        Each operation of a batch counts as a write.
        """
        strict = entry.config.strict
        if strict is None:
            return
        check_limit("timeout", timeout, strict.max_timeout)
        for operation in operations:
            if isinstance(operation, Upsert | UpdateVectors):
                check_points(strict, operation)
            else:
                check_write_filter(entry.config, strict, operation.filter)
            check_memory(strict, operation)
            check_stored(strict, entry, operation, self._sizes)
        self._rates.take(entry.uid, "Write", strict.write_rate_limit, len(operations))

    def check_index(self, entry: CollectionEntry, timeout: int | None) -> None:
        """Raise BadInputError, RateLimitedError when the collection takes no further payload index."""
        strict = entry.config.strict
        if strict is None:
            return
        check_limit("timeout", timeout, strict.max_timeout)
        most = strict.max_payload_index_count
        if most is not None and len(entry.config.payload_indexes) >= most:
            raise refused(
                f"Collection already has the maximum number of payload indices ({most})",
                "Please delete an existing index before creating a new one",
            )
        self._rates.take(entry.uid, "Write", strict.write_rate_limit, 1)

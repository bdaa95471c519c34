"""What every request that reads points begins with."""

import msgspec

from ingest.http.endpoint import Call
from ingest.http.limits import Limits
from ingest.ports import Catalog
from ingest.shard_keys import read
from ingest.strict.rates import RateLimits
from query_api.budget import Budget
from query_api.combine.shards import Shards
from query_api.freshness import Freshness
from query_api.ports import Readers
from query_api.rendering import AS_JSON, Rendering
from query_api.strict import check_timeout
from query_api.threads import ReadThreads
from schemas.config import CollectionConfig
from schemas.errors import NotFoundError
from schemas.rest.shard_keys import ShardKey, ShardKeySelector


class Reading(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One request's picture of a collection, what it was when the request came, to its end; and what it may cost.

    ``rendering``: how its points are answered.
    """

    uid: int
    config: CollectionConfig
    shards: Shards
    budget: Budget
    rendering: Rendering = AS_JSON


class Reader:
    """Begins requests."""

    def __init__(
        self, catalog: Catalog, readers: Readers, freshness: Freshness, limits: Limits, rates: RateLimits
    ) -> None:
        self._catalog = catalog
        self._readers = readers
        self._freshness = freshness
        self._threads = ReadThreads()
        self._rates = rates
        self.limits = limits

    async def begin(self, call: Call) -> Reading:
        """Wait for what the request's token names, and open its collection.

        Raises as ``describe``, BadInputError and RateLimitedError where the collection's strict mode refuses it.
        """
        deadline = await self._freshness.reach(call)
        reading = self._opened(call, Budget(self._threads, deadline, self.limits.max_answer_bytes))
        if reading.config.strict is not None:
            check_timeout(reading.config, call.params.timeout)
            self.count(reading, 1)
        return reading

    async def describe(self, call: Call) -> Reading:
        """As ``begin``, for what describes a collection: that is no read.

        Raises NotFoundError, UnavailableError, TimedOutError, BadInputError for a malformed token.
        """
        deadline = await self._freshness.reach(call)
        return self._opened(call, Budget(self._threads, deadline, self.limits.max_answer_bytes))

    def count(self, reading: Reading, reads: int) -> None:
        """Count reads of a collection. Raises RateLimitedError when there were too many in a minute."""
        strict = reading.config.strict
        if strict is not None:
            self._rates.take(reading.uid, "Read", strict.read_rate_limit, reads)

    def open(
        self, name: str, budget: Budget, shard_key: ShardKeySelector | None = None, rendering: Rendering = AS_JSON
    ) -> Reading:
        """A collection by its name or an alias. Raises NotFoundError, UnavailableError, BadInputError."""
        entry = self._catalog.resolve(name)
        if shard_key is not None:
            entry = read(entry, shard_key)
        keys: list[ShardKey] = []
        if entry.keys:
            keys = [part.key for part in entry.keys for _ in part.shard_map if part.key is not None]
        shards = Shards(self._readers.shards(entry), budget, keys)
        return Reading(entry.uid, entry.config, shards, budget, rendering)

    def other(self, name: str, budget: Budget) -> Reading:
        """A collection that a request to another one names. Raises as ``open``."""
        try:
            return self.open(name, budget)
        except NotFoundError as error:
            raise NotFoundError(f"Not found: Collection {name} not found") from error

    def narrowed(self, reading: Reading, call: Call, shard_key: ShardKeySelector | None) -> Reading:
        """What ``begin`` gave, less the shards without a key of these. Raises as ``open``."""
        return reading if shard_key is None else self._opened(call, reading.budget, shard_key)

    def _opened(self, call: Call, budget: Budget, shard_key: ShardKeySelector | None = None) -> Reading:
        asked = call.rendering
        rendering = asked if asked is not None and isinstance(asked, Rendering) else AS_JSON
        return self.open(call.collection, budget, shard_key, rendering)

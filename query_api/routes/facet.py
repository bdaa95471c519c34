"""The route of facets."""

from itertools import islice

import msgspec

from ingest.http.endpoint import Call, Endpoint, Reply
from query_api.plan.facet import to_facet
from query_api.reading import Reader
from query_api.sorting import in_order
from query_api.strict import check_page
from schemas.rest.decode import decode_body
from schemas.rest.facet import FacetHit, FacetRequest, FacetResult
from schemas.rest.reads import DEFAULT_LIMIT

_VALUE_US = 1.0
_VALUE_BYTES = 32
"""What a value takes in an answer beside its text."""
_decode = msgspec.json.Decoder(FacetRequest)


class FacetRoutes:
    """Facets of collections."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def endpoints(self) -> list[Endpoint]:
        """The one there is."""
        path, summary = "/collections/{collection_name}/facet", "Facet a payload key"
        return [
            Endpoint("POST", path, self._facet, summary, "Points", result=FacetResult, body=FacetRequest, reads=True)
        ]

    async def _facet(self, call: Call) -> Reply:
        reading = await self._reader.begin(call)
        request = decode_body(_decode, call.body)
        reading = self._reader.narrowed(reading, call, request.shard_key)
        check_page(reading.config, request.limit or DEFAULT_LIMIT, request.filter, request.exact)
        counts = await reading.shards.facet(to_facet(reading.config, request))
        # What few values there are may be asked for with any limit.
        limit = min(request.limit or DEFAULT_LIMIT, len(counts))
        self._reader.limits.check_results(limit, 0)

        def most() -> list[FacetHit]:
            hits = islice(in_order(counts.items(), lambda item: (-item[1], item[0])), limit)
            return [FacetHit(value, count) for value, count in hits]

        hits = await reading.shards.compute(most, len(counts) * _VALUE_US)
        size = sum(_VALUE_BYTES + (len(hit.value) if isinstance(hit.value, str) else 0) for hit in hits)
        return Reply(FacetResult(hits), size=size)

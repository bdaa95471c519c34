"""The read engine: search, scroll, count and retrieve over the views of a collection's shards."""

from query_api.engine.count import count
from query_api.engine.model import FetchedPoint, NearestQuery, PayloadExclude, PayloadInclude, Selection
from query_api.engine.planning import is_costly, is_costly_filter
from query_api.engine.retrieve import retrieve, vector_of
from query_api.engine.scroll import scroll
from query_api.engine.search import search

__all__ = [
    "FetchedPoint",
    "NearestQuery",
    "PayloadExclude",
    "PayloadInclude",
    "Selection",
    "count",
    "is_costly",
    "is_costly_filter",
    "retrieve",
    "scroll",
    "search",
    "vector_of",
]

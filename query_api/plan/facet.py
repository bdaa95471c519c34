"""Facets: how many points have each value of a payload key."""

from typing import Literal

import msgspec

from query_api.plan.fields import to_filter
from schemas.config import CollectionConfig
from schemas.errors import BadInputError
from schemas.filters import Filter
from schemas.json_path import Path, parse_path
from schemas.payload_index import BoolIndex, IndexParams, IntegerIndex, KeywordIndex, UuidIndex
from schemas.rest.facet import FacetRequest

FacetType = Literal["keyword", "integer", "bool", "uuid"]
FacetValue = str | int
"""A boolean, too; UUIDs in the form with hyphens."""


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """The values of a type at the path ``by``, of points that pass ``filter``."""

    by: Path
    data_type: FacetType
    filter: Filter | None = None


def to_facet(config: CollectionConfig, request: FacetRequest) -> Facet:
    """The facet. Raises BadInputError for a key without an index of values that are matched."""
    by = parse_path(request.key)
    declared = config.payload_indexes.get(str(by))
    data_type = None if declared is None else _data_type(declared.params)
    if data_type is None:
        raise BadInputError(
            f"Wrong input: No appropriate index for faceting: `{request.key}`. Please create one to facet on this "
            "field. Check https://qdrant.tech/documentation/concepts/indexing/#payload-index to see which payload "
            "schemas support Match conditions"
        )
    return Facet(by=by, data_type=data_type, filter=to_filter(request.filter))


def _data_type(params: IndexParams) -> FacetType | None:
    match params:
        case KeywordIndex():
            return "keyword"
        case IntegerIndex():
            return None if params.lookup is False else "integer"
        case BoolIndex():
            return "bool"
        case UuidIndex():
            return "uuid"
        case _:
            return None

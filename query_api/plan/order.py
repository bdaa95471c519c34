"""Orders: by which values points come."""

from query_api.plan.leaves import Ordered
from schemas.config import CollectionConfig
from schemas.datetimes import parse_datetime
from schemas.errors import BadInputError
from schemas.filters import Filter
from schemas.json_path import parse_path
from schemas.payload_index import DatetimeIndex, FloatIndex, IntegerIndex
from schemas.rest.reads import OrderBy


def to_ordered(config: CollectionConfig, asked: str | OrderBy, condition: Filter | None, limit: int) -> Ordered:
    """The leaf. Raises BadInputError for a key without an index of values that have an order."""
    order = OrderBy(asked) if isinstance(asked, str) else asked
    by = parse_path(order.key)
    declared = config.payload_indexes.get(str(by))
    params = None if declared is None else declared.params
    if not isinstance(params, IntegerIndex | FloatIndex | DatetimeIndex) or (
        isinstance(params, IntegerIndex) and params.range is False
    ):
        raise BadInputError(
            f"Wrong input: No range index for `order_by` key: `{order.key}`. Please create one to use `order_by`. "
            "Check https://qdrant.tech/documentation/concepts/indexing/#payload-index to see which payload schemas "
            "support Range conditions"
        )
    data_type = (
        "integer" if isinstance(params, IntegerIndex) else "float" if isinstance(params, FloatIndex) else "datetime"
    )
    start = order.start_from
    if isinstance(start, str):
        found = parse_datetime(start)
        if found is None:
            raise BadInputError(f"Wrong input: order_by.start_from: {start!r} is neither a number nor a datetime")
        start = found
    return Ordered(
        limit=limit,
        filter=condition,
        by=by,
        data_type=data_type,
        descending=order.direction == "desc",
        start_from=start,
    )

"""Limits on filters: how many conditions, how large they are, and that an index serves each."""

from schemas.config import CollectionConfig
from schemas.filters import Condition, FieldCondition, Filter, HasId, MatchAny, MatchExcept, Nested, parse_filter
from schemas.filters.weight import conditions_of
from schemas.strict.indexes import check_indexed
from schemas.strict.refusals import refused
from schemas.strict_mode import StrictModeConfig


def check_read_filter(config: CollectionConfig, filter: object | None) -> None:
    """Raise BadInputError for a filter of a read, as JSON, that breaks a limit."""
    strict = config.strict
    if strict is not None and filter is not None:
        _check(config, strict, parse_filter(filter), strict.unindexed_filtering_retrieve)


def check_write_filter(config: CollectionConfig, strict: StrictModeConfig, filter: object | None) -> None:
    """As ``check_read_filter``, for the filter that says which points an operation changes."""
    if filter is not None:
        _check(config, strict, parse_filter(filter), strict.unindexed_filtering_update)


def _check(config: CollectionConfig, strict: StrictModeConfig, filter: Filter, unindexed: bool | None) -> None:
    if unindexed is False:
        check_indexed(config.payload_indexes, filter)
    count = _count(filter, strict.condition_max_size)
    if strict.filter_max_conditions is not None and count > strict.filter_max_conditions:
        raise refused(
            f"Filter condition limit reached ({count} > {strict.filter_max_conditions})",
            "Reduce the amount of conditions of your filter",
        )


def _count(condition: Condition, most: int | None) -> int:
    """How many conditions there are: filters count as what is in them. Raises BadInputError for one above ``most``."""
    match condition:
        case Filter():
            return sum(_count(inner, most) for inner in conditions_of(condition))
        case Nested():
            return _count(condition.filter, most)
        case _:
            size = _size(condition)
            if most is not None and size > most:
                raise refused(f"Condition size limit reached ({size} > {most})", "Reduce the size of your condition")
            return 1


def _size(condition: Condition) -> int:
    if isinstance(condition, HasId):
        return len(condition.ids)
    if isinstance(condition, FieldCondition):
        return max((len(t.values) for t in condition.tests if isinstance(t, MatchAny | MatchExcept)), default=0)
    return 0

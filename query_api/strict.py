"""What strict mode asks of a read: sizes of answers, how to search, filters, and indexes for what is looked at."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from query_api.plan.examples import prefetches
from query_api.plan.formula import DatetimeKey, Expression, Formula, GeoDistance, Variable
from query_api.plan.leaves import Leaf
from query_api.plan.tree import ByFormula, Node
from schemas.config import CollectionConfig
from schemas.json_path import Path
from schemas.rest.queries import Prefetch
from schemas.rest.reads import DEFAULT_LIMIT, SearchParams
from schemas.strict.filters import check_read_filter
from schemas.strict.indexes import DATETIME, GEO, MATCHED, NUMBERS, Need, check_index, check_indexed, is_indexed
from schemas.strict.refusals import check_limit, refused
from schemas.strict_mode import StrictModeConfig

_NEEDS: dict[type[Any], tuple[Need, ...]] = {Variable: NUMBERS, DatetimeKey: (DATETIME,), GeoDistance: (GEO,)}


def check_timeout(config: CollectionConfig, timeout: int | None) -> None:
    """Raise BadInputError for a request that wants more time than its collection allows."""
    strict = config.strict
    if strict is not None:
        check_limit("timeout", timeout, strict.max_timeout)


def check_page(config: CollectionConfig, limit: int | None, filter: object | None, exact: bool | None = None) -> None:
    """Raise BadInputError where a read of points, of counts or of values breaks a limit of its collection.

    ``limit``: how much it answers at most, None where it doesn't say. ``filter`` is JSON.
    """
    strict = config.strict
    if strict is None:
        return
    check_limit("limit", limit, strict.max_query_limit)
    _check_exact(strict, exact)
    check_read_filter(config, filter)


def check_batch(config: CollectionConfig, searches: int) -> None:
    """Raise BadInputError for a batch of more queries than the collection allows."""
    strict = config.strict
    if strict is not None:
        check_limit("search batch size", searches, strict.search_max_batchsize)


def check_query(config: CollectionConfig, request: Prefetch, root: Node, limit: int) -> None:
    """Raise BadInputError where a query, planned as ``root``, breaks a limit; ``limit``: what it finds at most."""
    strict = config.strict
    if strict is None:
        return
    _check_level(config, strict, request, limit)
    if strict.unindexed_filtering_retrieve is False:
        for formula in _formulas(root):
            _check_formula(config, formula)


def check_group_by(config: CollectionConfig, by: Path) -> None:
    """Raise BadInputError where points are grouped by a key without an index of values that are matched."""
    strict = config.strict
    if strict is None or strict.unindexed_filtering_retrieve is not False:
        return
    if not is_indexed(config.payload_indexes, str(by), MATCHED):
        raise refused(f'Index required but not found for "{by}"', "Create an index supporting `match` for this key")


def _check_level(config: CollectionConfig, strict: StrictModeConfig, request: Prefetch, limit: int) -> None:
    params = request.params or SearchParams()
    check_page(config, limit, request.filter, params.exact)
    check_limit("hnsw_ef", params.hnsw_ef, strict.search_max_hnsw_ef)
    if params.quantization is not None:
        check_limit("oversampling", params.quantization.oversampling, strict.search_max_oversampling)
    for inner in prefetches(request):
        _check_level(config, strict, inner, inner.limit or DEFAULT_LIMIT)


def _check_exact(strict: StrictModeConfig, exact: bool | None) -> None:
    if exact and strict.search_allow_exact is False:
        raise refused("Exact search disabled!", "Set exact=false")


def _formulas(node: Node) -> Iterator[Formula]:
    if isinstance(node, Leaf):
        return
    if isinstance(node, ByFormula):
        yield node.formula
    for inner in node.inputs:
        yield from _formulas(inner)


def _check_formula(config: CollectionConfig, formula: Formula) -> None:
    indexes, instead = config.payload_indexes, "formula expression"
    for expression in _expressions(formula.expression):
        needs = _NEEDS.get(type(expression))
        if needs is not None and isinstance(expression, Variable | DatetimeKey | GeoDistance):
            check_index(indexes, str(expression.path), needs, instead)
    for condition in formula.conditions:
        check_indexed(indexes, condition, instead)


def _expressions(expression: Expression) -> Iterator[Expression]:
    """An expression and all in it."""
    yield expression
    values: tuple[Any, ...] = msgspec.structs.astuple(expression)
    for value in values:
        for inner in cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,):
            if isinstance(inner, Expression):
                yield from _expressions(inner)

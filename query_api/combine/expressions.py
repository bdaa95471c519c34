"""Points by what a formula makes of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import msgspec
import numpy as np

from query_api.plan.formula import (
    Constant,
    DatetimeKey,
    Decay,
    Expression,
    Formula,
    Function,
    GeoDistance,
    Holds,
    Power,
    Product,
    Quotient,
    Score,
    Sum,
    Variable,
)
from schemas.datetimes import parse_datetime
from schemas.errors import BadInputError
from schemas.json_path import Path, values_at
from schemas.matching.geo import distance, point_of

_EXPRESSION_US = 0.8


@dataclass(frozen=True, slots=True)
class Scored:
    """What a formula sees of a point: its scores by input, its payload, and which conditions hold."""

    scores: Mapping[int, float]
    payload: Mapping[str, Any]
    holds: Sequence[bool]


def formula_us(formula: Formula, points: int) -> float:
    """About how long so many points take, in microseconds."""
    return formula.size * points * _EXPRESSION_US


def scores(formula: Formula, points: Sequence[Scored]) -> list[float]:
    """The points' scores, as float32 has them.

    Raises BadInputError where a point has not what the formula needs, or a number is not finite.
    """
    return [_as_float32(_evaluate(formula.expression, point)) for point in points]


def _as_float32(value: float) -> float:
    with np.errstate(over="ignore"):
        narrow = float(np.float32(value))
    if not math.isfinite(narrow):
        raise _not_finite(f"{_shown(value)} as f32", narrow)
    return narrow


def _evaluate(expression: Expression, point: Scored) -> float:
    match expression:
        case Constant():
            return expression.value
        case Score():
            return point.scores.get(expression.input, expression.default)
        case Variable():
            return _read(expression, point, "number", "Value is not a number", _number)
        case DatetimeKey():
            return _read(expression, point, "datetime", "Value is not a datetime", _seconds)
        case GeoDistance():
            place = _read(expression, point, "geo point", "Value is not a geo point", point_of)
            return distance(expression.origin, place)
        case Holds():
            return float(point.holds[expression.condition])
        case Sum():
            return sum((_evaluate(term, point) for term in expression.terms), 0.0)
        case Product():
            return _product(expression, point)
        case Function():
            return _function(expression.name, _evaluate(expression.x, point))
        case Quotient():
            return _quotient(expression, point)
        case Power():
            return _power(_evaluate(expression.base, point), _evaluate(expression.exponent, point))
        case Decay():
            return _decay(expression, abs(_evaluate(expression.x, point) - _evaluate(expression.target, point)))


def _product(expression: Product, point: Scored) -> float:
    product = 1.0
    for factor in expression.factors:
        value = _evaluate(factor, point)
        if value == 0.0:
            return 0.0
        product *= value
    return product


def _quotient(expression: Quotient, point: Scored) -> float:
    left = _evaluate(expression.left, point)
    if left == 0.0:
        return 0.0
    right = _evaluate(expression.right, point)
    if right == 0.0 and expression.by_zero_default is not None:
        return expression.by_zero_default
    value = left / right if right else math.copysign(math.inf, left)
    return _finite(value, lambda: f"{_shown(left)}/{_shown(right)}")


def _power(base: float, exponent: float) -> float:
    try:
        value = math.pow(base, exponent)
    except OverflowError:
        value = math.inf
    except ValueError:
        value = math.inf if base == 0.0 else math.nan
    return _finite(value, lambda: f"{_shown(base)}^{_shown(exponent)}")


def _function(name: str, x: float) -> float:
    match name:
        case "neg":
            return -x
        case "abs":
            return abs(x)
        case "sqrt":
            return _finite(math.sqrt(x) if x >= 0 else math.nan, lambda: f"√{_shown(x)}")
        case "exp":
            return _finite(_exp(x), lambda: f"exp({_shown(x)})")
        case _:
            log = math.log10 if name == "log10" else math.log
            value = log(x) if x > 0 else -math.inf if x == 0 else math.nan
            return _finite(value, lambda: f"{name}({_shown(x)})")


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _decay(decay: Decay, away: float) -> float:
    if decay.kind == "lin_decay":
        return max(0.0, 1.0 - (1.0 - decay.midpoint) / decay.scale * away)
    steps = away / decay.scale
    power = steps if decay.kind == "exp_decay" else steps * steps
    return math.exp(math.log(decay.midpoint) * power)


def _read(
    of: Variable | DatetimeKey | GeoDistance, point: Scored, what: str, otherwise: str, read: Callable[[Any], Any]
) -> Any:
    value = _only(values_at(point.payload, of.path))
    if value is msgspec.UNSET:
        value = of.default
    found = None if value is msgspec.UNSET else read(value)
    if found is None:
        reason = "No value found in a payload nor defaults" if value is msgspec.UNSET else otherwise
        raise BadInputError(
            f"Wrong input: Expected {what} value for {of.name} in the payload and/or in the formula defaults. "
            f"Error: {reason}"
        )
    return found


def _only(values: list[Any]) -> Any:
    """The one value that is meant: an array of one stands for what is in it, several for themselves."""
    if len(values) == 1 and isinstance(values[0], list):
        values = cast("list[Any]", values[0])
    return msgspec.UNSET if not values else values[0] if len(values) == 1 else values


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _seconds(value: Any) -> float | None:
    found = parse_datetime(value) if isinstance(value, str) else None
    return None if found is None else found / 1e6


def _finite(value: float, text: Callable[[], str]) -> float:
    if not math.isfinite(value):
        raise _not_finite(text(), value)
    return value


def _not_finite(text: str, value: float) -> BadInputError:
    return BadInputError(f"Wrong input: The expression {text} = {_shown(value)} produced a non-finite number")


def _shown(value: float) -> str:
    """As Qdrant writes numbers: all digits and no exponent."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def payload_paths(formula: Formula) -> tuple[Path, ...]:
    """What to fetch of payloads: a path up to where it goes by a place in an array, which a selection can't say."""
    kept: list[Path] = []
    for path in formula.paths:
        upto = next((at for at, step in enumerate(path.steps) if isinstance(step, int)), len(path.steps))
        kept.append(Path(path.steps[:upto]))
    return tuple(dict.fromkeys(kept))

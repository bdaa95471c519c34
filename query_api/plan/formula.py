"""Formulas: expressions that score points by their scores in prefetches, their payload, and conditions."""

from typing import Any

import msgspec

from schemas.filters import Filter, GeoPoint
from schemas.json_path import Path


class Constant(msgspec.Struct, frozen=True, tag="constant"):
    """A number; of a datetime, seconds since 1970."""

    value: float


class Score(msgspec.Struct, frozen=True, tag="score"):
    """The score that the input of this number gave the point, or the default."""

    input: int
    default: float


class _OfPayload(msgspec.Struct, frozen=True):
    """What the payload has at ``path``, else the default, any JSON value; ``name`` is how messages call it."""

    name: str
    path: Path
    default: Any = msgspec.UNSET


class Variable(_OfPayload, frozen=True, tag="variable"):
    """A number of the payload."""


class DatetimeKey(_OfPayload, frozen=True, tag="datetime_key"):
    """A datetime of the payload, as seconds since 1970."""


class GeoDistance(_OfPayload, frozen=True, tag="geo_distance", kw_only=True):
    """Metres from ``origin`` to a geo point of the payload."""

    origin: GeoPoint


class Holds(msgspec.Struct, frozen=True, tag="condition"):
    """1 where the formula's condition of this number holds, else 0."""

    condition: int


class Sum(msgspec.Struct, frozen=True, tag="sum"):
    """The sum; 0 of nothing."""

    terms: tuple["Expression", ...]


class Product(msgspec.Struct, frozen=True, tag="mult"):
    """The product; 1 of nothing. After a 0 the rest is not looked at."""

    factors: tuple["Expression", ...]


class Function(msgspec.Struct, frozen=True, tag="function"):
    """One of ``FUNCTIONS`` of one number."""

    name: str
    x: "Expression"


class Quotient(msgspec.Struct, frozen=True, tag="div"):
    """``left`` over ``right``; 0 where ``left`` is, else ``by_zero_default`` where ``right`` is 0."""

    left: "Expression"
    right: "Expression"
    by_zero_default: float | None


class Power(msgspec.Struct, frozen=True, tag="pow"):
    """``base`` to the power of ``exponent``."""

    base: "Expression"
    exponent: "Expression"


class Decay(msgspec.Struct, frozen=True, tag="decay"):
    """One of ``DECAYS``: 1 where ``x`` is ``target``, ``midpoint`` where it is ``scale`` away from it."""

    kind: str
    x: "Expression"
    target: "Expression"
    scale: float
    midpoint: float


Expression = (
    Constant
    | Score
    | Variable
    | DatetimeKey
    | GeoDistance
    | Holds
    | Sum
    | Product
    | Function
    | Quotient
    | Power
    | Decay
)
FUNCTIONS = frozenset({"neg", "abs", "sqrt", "exp", "log10", "ln"})
DECAYS = frozenset({"lin_decay", "exp_decay", "gauss_decay"})


class Formula(msgspec.Struct, frozen=True):
    """An expression, how many expressions it is made of, and what it asks of points."""

    expression: Expression
    size: int
    paths: tuple[Path, ...]
    conditions: tuple[Filter, ...]

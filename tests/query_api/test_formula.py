"""Formulas against a plain reading of their JSON."""

import math
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api.combine.expressions import Scored, scores
from query_api.combine.formula import by_formula
from query_api.combine.shards import Shards
from query_api.hits import Hit
from query_api.plan.formula_parser import MAX_DEPTH, to_formula
from query_api.plan.leaves import Scroll
from schemas.errors import BadInputError, UnprocessableError
from tests.query_api.engine import read
from tests.query_api.shard_model import ShardModel
from tests.query_api.strategies import collections

PAYLOAD = {"a": 3, "in": {"b": -1.5}, "one": [7], "many": [1, 2.5], "when": "1970-01-02T00:00:00Z"}
DEFAULTS = {"nothing": 4, "$score[1]": 0.25}
SCORES = {0: 0.5}
NAMES = {"a": 3.0, "in.b": -1.5, "one": 7.0, "many[1]": 2.5, "nothing": 4.0, "$score": 0.5, "$score[0]": 0.5}
LEAVES = st.sampled_from([*NAMES, "$score[1]", "$score[2]", {"datetime_key": "when"}]) | st.floats(-9, 9, width=16)
JsonObject = dict[str, Any]
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "neg": float.__neg__,
    "abs": abs,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log10": math.log10,
    "ln": math.log,
}


def _inner(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    decays = st.fixed_dictionaries(
        {"x": inner},
        optional={"target": inner, "scale": st.sampled_from([1, 2.5]), "midpoint": st.sampled_from([0.25, 0.9])},
    )
    two = st.tuples(inner, inner)
    return st.one_of(
        *(st.lists(inner, max_size=3).map(lambda terms, op=op: {op: terms}) for op in ("sum", "mult")),
        *(inner.map(lambda x, op=op: {op: x}) for op in ("neg", "abs", "sqrt", "exp", "log10", "ln")),
        *(decays.map(lambda x, op=op: {op: x}) for op in ("lin_decay", "exp_decay", "gauss_decay")),
        two.map(lambda pair: {"pow": {"base": pair[0], "exponent": pair[1]}}),
        two.map(lambda pair: {"div": {"left": pair[0], "right": pair[1], "by_zero_default": 6}}),
    )


def plain(obj: Any) -> float:
    """What an expression is, by its JSON; what is not finite raises."""
    if isinstance(obj, str):
        return {**NAMES, "$score[1]": 0.25, "$score[2]": 0.0}[obj]
    if not isinstance(obj, dict):
        return float(obj)
    fields = cast(JsonObject, obj)
    name, x = next(iter(fields.items()))
    match name:
        case "datetime_key":
            return 86400.0
        case "sum":
            return math.fsum(map(plain, x))
        case "mult":
            product = 1.0
            for factor in x:
                product *= plain(factor) if product else 0.0
            return product
        case "pow":
            return math.pow(plain(x["base"]), plain(x["exponent"]))
        case "div":
            left = plain(x["left"])
            right = plain(x["right"]) if left else 1.0
            return left / right if right else 6.0
        case "lin_decay" | "exp_decay" | "gauss_decay":
            away = abs(plain(x["x"]) - plain(x.get("target", 0)))
            scale, midpoint = x.get("scale", 1), x.get("midpoint", 0.5)
            if name == "lin_decay":
                return max(0.0, 1 - away * (1 - midpoint) / scale)
            power = away / scale if name == "exp_decay" else (away / scale) ** 2
            return midpoint**power
        case _:
            return FUNCTIONS[name](plain(x))


@given(formula=st.recursive(LEAVES, _inner, max_leaves=8))
def test_expressions(formula: Any) -> None:
    try:
        expected = plain(formula)
    except (ValueError, OverflowError):
        expected = math.inf
    point = Scored(SCORES, PAYLOAD, [])
    if abs(expected) > 3e38:
        with pytest.raises(BadInputError, match="produced a non-finite number"):
            scores(to_formula(formula, DEFAULTS), [point])
    else:
        assert scores(to_formula(formula, DEFAULTS), [point]) == [pytest.approx(expected, rel=1e-4, abs=1e-4)]


@given(model=collections())
def test_points_are_scored_wherever_they_are(model: ShardModel) -> None:
    formula = to_formula(
        {"sum": [{"mult": ["$score[1]", 2]}, {"key": "tag", "match": {"value": "x"}}, "n"]}, {"n": 10, "$score[1]": 3}
    )

    async def ask(shards: Shards) -> list[Hit]:
        return await by_formula(shards, formula, [await shards.find(Scroll(limit=99)), []])

    expected = {i: 6 + (p.payload.get("tag") == "x") + p.payload.get("n", 10) for i, p in model.points.items()}
    assert {hit.id: hit.score for hit in read(model.views, ask)} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("absent", "Expected number value for absent .* No value found in a payload nor defaults"),
        ("many", "Expected number value for many .* Value is not a number"),
        ({"div": {"left": "a", "right": 0}}, r"The expression 3/0 = inf produced a non-finite number"),
        ({"exp": 100}, r"The expression 26881171418161\d{30} as f32 = inf produced"),
        ({"sqrt": -4}, "The expression √-4 = NaN produced"),
    ],
)
def test_what_can_not_be_scored_is_an_error(formula: Any, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        scores(to_formula(formula, {}), [Scored(SCORES, PAYLOAD, [])])


def test_formulas_have_a_depth() -> None:
    formula: Any = 1
    for _ in range(MAX_DEPTH + 1):
        formula = {"neg": formula}
    with pytest.raises(UnprocessableError, match="nested at most"):
        to_formula(formula, {})

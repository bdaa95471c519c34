"""msgspec's first look at a struct type is not for threads: decoders are made when modules are imported."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "ingest", "projector", "query_api", "compose")
ALONE = ("compose/importing/client.py", "compose/importing/state.py")
"""A command of its own, which decodes in one thread."""


def _typed(call: ast.Call) -> bool:
    kinds = [keyword.value for keyword in call.keywords if keyword.arg == "type"]
    known = all(isinstance(kind, ast.Name) and kind.id in {"str", "bytes", "int"} for kind in kinds)
    return isinstance(call.func, ast.Attribute) and call.func.attr == "decode" and bool(kinds) and not known


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_decoded_to_a_type_that_has_no_decoder(room: str) -> None:
    found: list[str] = []
    for path in sorted((ROOT / room).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        calls = [node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call)]
        found += [f"{name}:{call.lineno}" for call in calls if _typed(call) and name not in ALONE]
    assert found == []

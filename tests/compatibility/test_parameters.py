"""docs/rest-parameters.md has every path and parameter of Qdrant's OpenAPI document, once; every path has a route."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from compose.app import Services, create_app
from tests.rest.memory_node import MemoryNode

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = json.loads(gzip.decompress((ROOT / "tests" / "e2e" / "qdrant_openapi.json.gz").read_bytes()))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def reached(node: Any, found: dict[str, None]) -> dict[str, None]:
    """The names of the schemas that a node refers to, and those that they do."""
    if isinstance(node, dict):
        for key, value in cast("dict[str, Any]", node).items():
            if key != "$ref":
                reached(value, found)
            elif (name := value.rpartition("/")[2]) not in found:
                found[name] = None
                reached(SCHEMAS[name], found)
    elif isinstance(node, list):
        for value in cast("list[Any]", node):
            reached(value, found)
    return found


def properties(node: dict[str, Any]) -> set[str]:
    """Those of an object, in all its variants that have no name of their own."""
    variants = [
        variant for key in ("anyOf", "oneOf", "allOf") for variant in node.get(key, []) if "$ref" not in variant
    ]
    return set(node.get("properties", {})).union(*map(properties, variants))


BODIES = reached([operation.get("requestBody") for operation in OPERATIONS.values()], {})
OBJECTS = {name: found for name in BODIES if (found := properties(SCHEMAS[name]))}
_CODE = re.compile(r"`([^`]+)`")


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of every row of the table below a heading."""
    text = (ROOT / "docs" / "rest-parameters.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    for line in text.splitlines()[3:]:
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


PATHS = {_CODE.findall(cells[0])[0]: cells[1:] for cells in rows("Paths")}
TOLD = {cells[0]: cells[1:] for cells in rows("Objects in bodies")}


def named(cells: list[str]) -> list[str]:
    """The parameters that cells name: in the first all code, in others what is ahead of a reason."""
    first, *others = cells
    reasons = [part.partition(": ")[0] for cell in others for part in cell.split("; ")]
    return _CODE.findall(first) + [name for part in reasons for name in _CODE.findall(part)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_of_an_operation_is_told(name: str) -> None:
    operation = OPERATIONS[name]
    wanted = [parameter["name"] for parameter in operation.get("parameters", [])]
    assert sorted(named(PATHS[name])) == sorted(wanted + ["body"] * ("requestBody" in operation))


@pytest.mark.parametrize("name", OBJECTS)
def test_every_property_of_an_object_is_told(name: str) -> None:
    assert sorted(named(TOLD[name])) == sorted(OBJECTS[name])


def test_nothing_else_is_told() -> None:
    assert PATHS.keys() == OPERATIONS.keys()
    assert TOLD.keys() == OBJECTS.keys()


def test_what_has_no_effect_or_is_refused_has_a_reason() -> None:
    for cells in (*PATHS.values(), *TOLD.values()):
        for cell in cells[1:]:
            for part in filter(None, cell.split("; ")):
                assert part.partition(": ")[2], part


@pytest.mark.parametrize("clustered", [False, True])
def test_every_path_has_a_route(clustered: bool) -> None:
    node = MemoryNode(1)
    services = Services(node.log, node.catalog, node, node, node, node, "0", cluster_enabled=clustered)
    routes = {f"{endpoint.method} {endpoint.path}" for endpoint in create_app(services).endpoints}
    assert OPERATIONS.keys() <= routes

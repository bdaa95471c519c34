import re
from collections.abc import Iterator
from typing import Any

import schemathesis

from tests.rest.client import Rest

HAVE_BODIES = {"POST", "PUT", "PATCH"}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():  # pyright: ignore[reportUnknownVariableType]
            if key == "$ref":
                yield str(child)  # pyright: ignore[reportUnknownArgumentType]
            yield from references(child)
    elif isinstance(value, list):
        for child in value:  # pyright: ignore[reportUnknownVariableType]
            yield from references(child)


def test_every_endpoint_is_documented_with_its_models(rest: Rest) -> None:
    document = rest.send("GET", "/openapi.json").json()
    assert document["info"]["version"] == rest.version
    found = list(operations(document))
    assert len(found) >= 39
    for method, path, operation in found:
        assert method in HAVE_BODIES or "requestBody" not in operation, (method, path)
        assert operation["summary"]
        assert operation["tags"]
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        assert operation["responses"]["200"]["content"]
    assert len({operation["operationId"] for _, _, operation in found}) == len(found)


def test_references_lead_somewhere(rest: Rest) -> None:
    document = rest.send("GET", "/openapi.json").json()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    used = set(references(document))
    assert used <= known


def test_the_document_is_valid(rest: Rest) -> None:
    schema = schemathesis.openapi.from_dict(rest.send("GET", "/openapi.json").json())
    schema.validate()


def test_the_pages(rest: Rest) -> None:
    for path in ("/docs", "/redoc"):
        page = rest.send("GET", path)
        assert page.status_code == 200
        assert "/openapi.json" in page.text


def test_the_pages_load_nothing_from_elsewhere(rest: Rest) -> None:
    for path in ("/docs", "/redoc"):
        loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", rest.send("GET", path).text)
        assert any(address.endswith(".js") for address in loaded)
        for address in loaded:
            assert address.startswith("/"), address
            asset = rest.send("GET", address)
            assert asset.status_code == 200
            assert len(asset.content) > 1000
    assert rest.send("GET", "/docs-assets/nothing.js").status_code == 404

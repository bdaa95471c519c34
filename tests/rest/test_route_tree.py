from collections.abc import Mapping

import pytest

from compose.http.route_tree import RouteTree
from ingest.http.exchange import Exchange


class Named:
    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, exchange: Exchange, path: Mapping[str, str]) -> None:
        raise AssertionError("only found, never called")


@pytest.fixture
def tree() -> RouteTree:
    built = RouteTree()
    for method, path in (
        ("GET", "/"),
        ("GET", "/things"),
        ("POST", "/things/special"),
        ("GET", "/things/{name}"),
        ("PUT", "/things/{name}"),
        ("GET", "/things/{name}/parts/{part}"),
        ("GET", "/things/{name}/parts/first"),
    ):
        built.add(method, path, Named(f"{method} {path}"))
    return built


@pytest.mark.parametrize(
    ("method", "path", "name", "parameters"),
    [
        ("GET", "/", "GET /", {}),
        ("GET", "/things", "GET /things", {}),
        ("POST", "/things/special", "POST /things/special", {}),
        ("GET", "/things/special", "GET /things/{name}", {"name": "special"}),
        ("PUT", "/things/a b", "PUT /things/{name}", {"name": "a b"}),
        ("GET", "/things/a/parts/b", "GET /things/{name}/parts/{part}", {"name": "a", "part": "b"}),
        ("GET", "/things/", "GET /things", {}),
        ("GET", "//", "GET /", {}),
        ("GET", "/things//a/", "GET /things/{name}", {"name": "a"}),
        ("GET", "/things/a/parts/first", "GET /things/{name}/parts/first", {"name": "a"}),
    ],
)
def test_found(tree: RouteTree, method: str, path: str, name: str, parameters: dict[str, str]) -> None:
    found = tree.find(method, path)
    assert found is not None
    assert isinstance(found.answer, Named)
    assert (found.answer.name, found.parameters) == (name, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/things"),
        ("POST", "/things/a"),
        ("GET", "/things//parts/x"),
        ("GET", ""),
    ],
)
def test_not_found(tree: RouteTree, method: str, path: str) -> None:
    assert tree.find(method, path) is None


def test_a_parameter_has_one_name(tree: RouteTree) -> None:
    with pytest.raises(ValueError, match="is called 'name' elsewhere"):
        tree.add("GET", "/things/{other}", Named("other"))

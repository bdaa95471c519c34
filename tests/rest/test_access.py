"""API keys, and pages of other origins."""

import httpx
import pytest

from compose.app import Services, create_app
from compose.http.access import Access, UnauthenticatedError
from compose.http.cors import Cors
from compose.http.rights import OPEN_PATHS, READS, Right, required_right
from tests.rest.client import VERSION, MemoryRest

KEY, READER = "secret-key", "reader-key"


class Served:
    """An application, to send requests to."""

    def __init__(self, access: Access | None = None, cors: Cors | None = None) -> None:
        self.rest = MemoryRest()
        node = self.rest.node
        services = Services(node.log, node.catalog, node, node, node, node, VERSION)
        self.rest.app = self.app = create_app(services, access=access, cors=cors)

    def __call__(
        self, method: str, path: str, headers: dict[str, str] | None = None, json: object = None
    ) -> httpx.Response:
        return self.rest.send(method, path, headers=headers, json=json)


@pytest.fixture
def restricted() -> Served:
    return Served(Access([KEY, "next-key"], [READER, "next-reader"]))


def error(response: httpx.Response) -> str:
    return response.json()["status"]["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"api-key": KEY}, 200),
        ({"Api-Key": "next-key"}, 200),
        ({"api-key": READER}, 200),
        ({"api-key": "next-reader"}, 200),
        ({"api-key": "wrong"}, 401),
        ({"api-key": ""}, 401),
        ({"api-key": KEY.upper()}, 401),
        ({"authorization": f"Bearer {KEY}"}, 200),
        ({"authorization": f"bearer {KEY}"}, 401),
        ({"authorization": KEY}, 401),
        ({"api-key": "wrong", "authorization": f"Bearer {KEY}"}, 401),
        ({"api-key": KEY, "authorization": "Bearer wrong"}, 200),
    ],
)
def test_keys(restricted: Served, headers: dict[str, str], status: int) -> None:
    assert restricted("GET", "/collections", headers=headers).status_code == status


def test_a_reader_may_not_write(restricted: Served) -> None:
    body = {"vectors": {"size": 2, "distance": "Dot"}}
    for key in (READER, "next-reader"):
        refused = restricted("PUT", "/collections/c", json=body, headers={"api-key": key})
        assert (refused.status_code, error(refused)) == (403, "Forbidden: Global manage access is required")
    assert restricted("PUT", "/collections/c", json=body, headers={"api-key": KEY}).status_code == 200


def test_every_route_asks_for_the_right_in_the_table(restricted: Served) -> None:
    routes = [(endpoint.method, endpoint.path) for endpoint in restricted.app.endpoints]
    assert len(routes) > 30
    for method, pattern in routes:
        right = required_right(method, pattern)
        path = pattern.replace("{", "").replace("}", "")
        anonymous = restricted(method, path)
        reader = restricted(method, path, headers={"api-key": READER})
        assert (anonymous.status_code == 401) == (right is not Right.NONE), (method, pattern)
        assert (reader.status_code == 403) == (right is Right.MANAGE), (method, pattern)
        assert (right is Right.NONE) == (pattern in OPEN_PATHS)
    reads = {(method, path) for method, path in routes if required_right(method, path) is Right.READ}
    assert reads <= READS


def test_what_is_not_there_is_told_to_those_with_a_key_only(restricted: Served) -> None:
    assert restricted("POST", "/nope").status_code == 401
    assert restricted("GET", "/openapi.json").status_code == 401
    assert restricted("POST", "/nope", headers={"api-key": READER}).status_code == 404


def test_a_key_is_ignored_where_none_is_asked_for() -> None:
    assert Served()("GET", "/collections", headers={"api-key": "x"}).status_code == 200


PREFLIGHT = {"origin": "http://page", "access-control-request-method": "PUT"}


def test_a_page_of_any_origin_may_call() -> None:
    server = Served(Access([KEY]))
    answer = server(
        "OPTIONS", "/collections/c", headers={**PREFLIGHT, "access-control-request-headers": "content-type,api-key"}
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "http://page"
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "content-type,api-key"
    for path, status in (("/collections", 401), ("/", 200)):
        answer = server("GET", path, headers={"origin": "http://page"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "http://page")
    assert "access-control-allow-origin" not in server("GET", "/").headers


def test_only_some_origins_may_call() -> None:
    server = Served(cors=Cors(["http://page"]))
    assert server("OPTIONS", "/", headers=PREFLIGHT).headers["access-control-allow-origin"] == "http://page"
    other = server("OPTIONS", "/", headers={**PREFLIGHT, "origin": "http://other"})
    assert (other.status_code, other.headers.get("access-control-allow-origin")) == (404, None)


def test_options_that_ask_nothing_are_an_unknown_route() -> None:
    assert Served()("OPTIONS", "/collections", headers={"origin": "http://page"}).status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/docs-assets/swagger-ui.css"])
def test_the_api_pages_take_a_key(restricted: Served, path: str) -> None:
    assert restricted("GET", path).status_code == 401
    assert restricted("GET", path, {"api-key": READER}).status_code == 200


def test_a_key_that_is_not_utf_8() -> None:
    access = Access(["key\udcff"])  # as the environment has such bytes
    access.check([(b"api-key", b"key\xff")], Right.MANAGE)
    with pytest.raises(UnauthenticatedError):
        access.check([(b"api-key", b"key?")], Right.MANAGE)

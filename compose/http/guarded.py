"""Endpoints behind the keys of a server: what both its applications begin an answer with."""

from collections.abc import Sequence

from starlette.responses import Response
from starlette.types import Scope

from compose.http.access import Access
from compose.http.errors import error_response
from compose.http.rights import required_right
from compose.http.route_tree import Found, RouteTree
from ingest.http.endpoint import Endpoint, EndpointApp
from ingest.http.limits import InFlight, Limits
from schemas.errors import HeadwaterError


def endpoint_tree(endpoints: Sequence[Endpoint], limits: Limits, in_flight: InFlight) -> RouteTree:
    """The endpoints by method and path, each with the right that it takes."""
    tree = RouteTree()
    for endpoint in endpoints:
        right = required_right(endpoint.method, endpoint.path)
        tree.add(endpoint.method, endpoint.path, EndpointApp(endpoint, limits, in_flight), right)
    return tree


def refusal(access: Access, scope: Scope, found: Found | None) -> Response | None:
    """The answer to a request without a key that gives the right to what was ``found``; None where it has one."""
    try:
        access.check(scope["headers"], None if found is None else found.right)
    except HeadwaterError as error:
        return error_response(error.status, error.message)
    return None

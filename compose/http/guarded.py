"""Endpoints behind the keys of a server: what both its applications begin an answer with."""

from collections.abc import Sequence

from compose.http.access import Access
from compose.http.errors import answer_error
from compose.http.rights import required_right
from compose.http.route_tree import Found, RouteTree
from ingest.http.endpoint import Endpoint, EndpointApp
from ingest.http.exchange import Exchange
from ingest.http.limits import InFlight, Limits
from schemas.errors import HeadwaterError


def endpoint_tree(endpoints: Sequence[Endpoint], limits: Limits, in_flight: InFlight) -> RouteTree:
    """The endpoints by method and path, each with the right that it takes."""
    tree = RouteTree()
    for endpoint in endpoints:
        right = required_right(endpoint.method, endpoint.path)
        tree.add(endpoint.method, endpoint.path, EndpointApp(endpoint, limits, in_flight).answer, right)
    return tree


def refused(access: Access, exchange: Exchange, found: Found | None) -> bool:
    """Whether a request has no key that gives the right to what was ``found``; it is answered then."""
    try:
        access.check(exchange.head.headers, None if found is None else found.right)
    except HeadwaterError as error:
        answer_error(exchange, error.status, error.message)
        return True
    return False

"""Geo tests, against qdrant-client's local mode on whole grids of points."""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

from hypothesis import given
from qdrant_client.http import models
from qdrant_client.local import payload_filters
from qdrant_client.local.geo import geo_distance

from schemas.filters import FieldCondition, GeoPoint, parse_filter
from schemas.matching import geo, passes
from tests.schemas import strategies

GRID = [{"lon": lon, "lat": lat} for lon, lat in product(range(-7, 8), repeat=2)]


def ours(name: str, obj: dict[str, Any], points: Sequence[dict[str, Any]] = GRID) -> list[bool]:
    (condition,) = parse_filter({"must": {"key": "a", name: obj}}).must
    assert isinstance(condition, FieldCondition)
    return [passes(condition.tests[0], [point]) for point in points]


@given(strategies.polygons)
def test_polygons(obj: dict[str, Any]) -> None:
    polygon = models.GeoPolygon.model_validate(obj)
    assert ours("geo_polygon", obj) == [payload_filters.check_geo_polygon(polygon, point) for point in GRID]


@given(strategies.near_boxes)
def test_boxes(obj: dict[str, Any]) -> None:
    box = models.GeoBoundingBox.model_validate(obj)
    assert ours("geo_bounding_box", obj) == [payload_filters.check_geo_bounding_box(box, point) for point in GRID]


@given(strategies.circles)
def test_circles(obj: dict[str, Any]) -> None:
    circle = models.GeoRadius.model_validate(obj)
    assert ours("geo_radius", obj) == [payload_filters.check_geo_radius(circle, point) for point in GRID]


def test_a_box_crosses_the_date_line() -> None:
    box = {"top_left": {"lon": 170, "lat": 10}, "bottom_right": {"lon": -170, "lat": -10}}
    fiji, quito, fringe = {"lon": 178.4, "lat": -8}, {"lon": -78.5, "lat": -0.2}, {"lon": 170, "lat": 0}
    assert ours("geo_bounding_box", box, [fiji, quito, fringe]) == [True, False, False]


def test_distance_in_metres() -> None:
    moscow, london = GeoPoint(37.6173, 55.7558), GeoPoint(-0.1278, 51.5074)
    assert geo.distance(moscow, london) == geo.distance(london, moscow)
    assert math.isclose(geo.distance(moscow, london), geo_distance(37.6173, 55.7558, -0.1278, 51.5074))
    half_way_round = math.pi * geo.EARTH_RADIUS
    assert math.isclose(geo.distance(GeoPoint(0, 90), GeoPoint(0, -90)), half_way_round)
    assert math.isclose(geo.distance(GeoPoint(-90, 0), GeoPoint(90, 0)), half_way_round)
    assert geo.distance(GeoPoint(180, 5), GeoPoint(-180, 5)) < 1e-6


def test_what_is_a_geo_point() -> None:
    assert geo.point_of({"lon": 1, "lat": 2.5, "name": "x"}) == GeoPoint(1.0, 2.5)
    others: list[Any] = [
        None,
        [1, 2],
        {"lon": 1},
        {"lon": True, "lat": 1},
        {"lon": "1", "lat": "2"},
        {"lon": 10**400, "lat": 1},
        {"lon": math.nan, "lat": 1},
    ]
    assert [geo.point_of(value) for value in others] == [None] * len(others)

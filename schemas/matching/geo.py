"""Geo tests, on points ``{"lon": .., "lat": ..}`` in degrees."""

import math
from collections.abc import Sequence
from itertools import pairwise

from schemas.filters.model import GeoBoundingBox, GeoPoint, GeoPolygon, GeoRadius
from schemas.json_path import JsonValue
from schemas.matching.values import number_of

EARTH_RADIUS = 6371008.8
"""Mean radius in metres (IUGG), the one Qdrant uses."""


def point_of(value: JsonValue) -> GeoPoint | None:
    """The geo point that a payload value is; None when it isn't one. Coordinates out of range are kept."""
    if not isinstance(value, dict):
        return None
    lon, lat = number_of(value.get("lon")), number_of(value.get("lat"))
    if lon is None or lat is None or not (math.isfinite(lon) and math.isfinite(lat)):
        return None
    return GeoPoint(lon, lat)


def distance(a: GeoPoint, b: GeoPoint) -> float:
    """Great-circle distance in metres by the haversine formula."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat = math.sin((lat_b - lat_a) / 2)
    half_lon = math.sin(math.radians(b.lon - a.lon) / 2)
    h = half_lat * half_lat + math.cos(lat_a) * math.cos(lat_b) * half_lon * half_lon
    return 2 * EARTH_RADIUS * math.asin(math.sqrt(min(1.0, max(0.0, h))))


def in_radius(point: GeoPoint, circle: GeoRadius) -> bool:
    """Whether the point is nearer to the centre than the radius."""
    return distance(circle.center, point) < circle.radius


def in_box(point: GeoPoint, box: GeoBoundingBox) -> bool:
    """Whether the point is inside the box, edges excluded."""
    west, east = box.top_left.lon, box.bottom_right.lon
    crosses_date_line = west > east
    east_of_west, west_of_east = west < point.lon, point.lon < east
    in_longitude = east_of_west or west_of_east if crosses_date_line else east_of_west and west_of_east
    return in_longitude and box.bottom_right.lat < point.lat < box.top_left.lat


def in_polygon(point: GeoPoint, polygon: GeoPolygon) -> bool:
    """Whether the point is inside the exterior and neither in nor on a hole; longitude and latitude are a plane."""
    if _side(point, polygon.exterior) <= 0:
        return False
    return all(_side(point, hole) < 0 for hole in polygon.interiors)


def _side(point: GeoPoint, ring: Sequence[GeoPoint]) -> int:
    """1 inside the ring, 0 on it, -1 outside: the parity of edges that a ray to the east crosses."""
    inside = False
    for a, b in pairwise(ring):
        turn = (b.lon - a.lon) * (point.lat - a.lat) - (b.lat - a.lat) * (point.lon - a.lon)
        if turn == 0 and _between(point.lon, a.lon, b.lon) and _between(point.lat, a.lat, b.lat):
            return 0
        if (a.lat > point.lat) != (b.lat > point.lat):
            upward = b.lat > a.lat
            inside ^= turn > 0 if upward else turn < 0
    return 1 if inside else -1


def _between(value: float, a: float, b: float) -> bool:
    return min(a, b) <= value <= max(a, b)

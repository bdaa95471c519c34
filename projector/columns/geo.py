"""Geo points of a key that has a geo index.

Sections of a column: ``geo_lats`` f64 ascending, ``geo_lons`` f64, ``geo_slots`` u32, all in that order.
"""

import math
from array import array
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from projector.columns.bitmaps import Mask
from projector.columns.sections import Sections, SectionSource
from projector.columns.selection import Selection, known
from projector.columns.slot_set import SlotSet
from schemas.filters import ElementTest, GeoBoundingBox, GeoPoint, GeoPolygon, GeoRadius, IsOfType
from schemas.json_path import JsonValue
from schemas.matching.geo import EARTH_RADIUS, in_radius, point_of
from schemas.matching.types import MAX_LATITUDE, MAX_LONGITUDE

_UNSURE = 1e-9
"""Of the haversine: sines in other libraries may differ in the last bits, which is a millionth of that."""
Floats = NDArray[np.float64]


class GeoAccumulator:
    """Collects geo points."""

    def __init__(self) -> None:
        self._lats = array("d")
        self._lons = array("d")
        self._slots = array("I")

    def add(self, value: JsonValue, slot: int) -> None:
        """Record an object; slots come in ascending order."""
        point = point_of(value)
        if point is not None:
            self._lats.append(point.lat)
            self._lons.append(point.lon)
            self._slots.append(slot)

    def finish(self, size: int) -> Sections:
        """The sections."""
        if not self._slots:
            return {}
        lats, lons = np.frombuffer(self._lats, np.float64), np.frombuffer(self._lons, np.float64)
        order = np.argsort(lats, kind="stable")
        slots = np.frombuffer(self._slots, np.uint32)
        return {"geo_lats": lats[order], "geo_lons": lons[order], "geo_slots": slots[order]}


class Geo:
    """The reader of what GeoAccumulator wrote."""

    tests = (GeoBoundingBox, GeoRadius, GeoPolygon, IsOfType)

    def __init__(self, source: SectionSource, size: int) -> None:
        self._size = size
        self._lats = source.array("geo_lats", np.float64)
        self._lons = source.array("geo_lons", np.float64)
        self._slots = source.array("geo_slots", np.uint32)

    def select(self, test: ElementTest) -> Selection:
        """The slots where a geo point passes."""
        match test:
            case GeoBoundingBox():
                found = self._in_box(test)
            case GeoRadius():
                found = self._in_radius(test)
            case GeoPolygon():
                found = self._in_polygon(test)
            case IsOfType(data_type="geo"):
                found = self._slots[(abs(self._lats) <= MAX_LATITUDE) & (abs(self._lons) <= MAX_LONGITUDE)]
            case _:
                found = self._slots[:0]
        return known(SlotSet.union([found], self._size))

    def _band(self, south: float, north: float) -> slice:
        """The points between two latitudes, both included."""
        return slice(int(self._lats.searchsorted(south, "left")), int(self._lats.searchsorted(north, "right")))

    def _in_box(self, box: GeoBoundingBox) -> NDArray[np.uint32]:
        south, north = box.bottom_right.lat, box.top_left.lat
        band = self._band(south, north)
        lats, lons = self._lats[band], self._lons[band]
        west, east = box.top_left.lon, box.bottom_right.lon
        across = (west < lons) | (lons < east) if west > east else (west < lons) & (lons < east)
        return self._slots[band][across & (south < lats) & (lats < north)]

    def _in_radius(self, circle: GeoRadius) -> NDArray[np.uint32]:
        """As the evaluator has it: where a distance is so near to the radius that rounding matters, it is asked."""
        if circle.radius <= 0:
            return self._slots[:0]
        lat = circle.center.lat
        angle = circle.radius / EARTH_RADIUS
        reach = math.degrees(angle) * (1 + 1e-6) + 1e-6
        # Latitudes beyond the poles lie on the far side of them: those are few, if any, and all looked at.
        wrapped = lat - reach < -MAX_LATITUDE or lat + reach > MAX_LATITUDE
        bands = [slice(0, len(self._lats))] if wrapped else self._bands(lat - reach, lat + reach)
        found = [self._slots[band][self._near(circle, angle, band)] for band in bands]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def _bands(self, south: float, north: float) -> list[slice]:
        """The points between two latitudes on the globe, and all whose latitude is none."""
        poles = [slice(0, self._band(-MAX_LATITUDE, MAX_LATITUDE).start)]
        poles.append(slice(self._band(-MAX_LATITUDE, MAX_LATITUDE).stop, len(self._lats)))
        return [self._band(south, north), *(pole for pole in poles if pole.start < pole.stop)]

    def _near(self, circle: GeoRadius, angle: float, band: slice) -> Mask:
        lats, lon_differences = np.radians(self._lats[band]), np.radians(self._lons[band] - circle.center.lon)
        lat = math.radians(circle.center.lat)
        half_lat, half_lon = np.sin((lats - lat) / 2), np.sin(lon_differences / 2)
        h = half_lat * half_lat + math.cos(lat) * np.cos(lats) * half_lon * half_lon
        limit = math.sin(min(angle, math.pi) / 2) ** 2
        near = h < limit
        unsure = abs(h - limit) <= _UNSURE
        unsure |= (abs(self._lats[band]) > MAX_LATITUDE) | (abs(self._lons[band]) > MAX_LONGITUDE)
        if angle >= math.pi:
            unsure |= ~near
        for at in np.flatnonzero(unsure).tolist():
            place = band.start + at
            near[at] = in_radius(GeoPoint(float(self._lons[place]), float(self._lats[place])), circle)
        return near

    def _in_polygon(self, polygon: GeoPolygon) -> NDArray[np.uint32]:
        corners = [point.lat for point in polygon.exterior]
        band = self._band(min(corners), max(corners))
        lats, lons = self._lats[band], self._lons[band]
        passing = _side(lats, lons, polygon.exterior) > 0
        for hole in polygon.interiors:
            passing &= _side(lats, lons, hole) < 0
        return self._slots[band][passing]


def _side(lats: Floats, lons: Floats, ring: Sequence[GeoPoint]) -> NDArray[np.int8]:
    """1 inside the ring, 0 on it, -1 outside, by the evaluator's sums in the evaluator's order."""
    inside = np.zeros(len(lats), np.bool_)
    on_edge = np.zeros(len(lats), np.bool_)
    for a, b in pairwise(ring):
        with np.errstate(over="ignore", invalid="ignore"):
            turn = (b.lon - a.lon) * (lats - a.lat) - (b.lat - a.lat) * (lons - a.lon)
        between = _between(lons, a.lon, b.lon) & _between(lats, a.lat, b.lat)
        on_edge |= (turn == 0) & between
        crossed = (a.lat > lats) != (b.lat > lats)
        inside ^= crossed & (turn > 0 if b.lat > a.lat else turn < 0)
    return np.where(on_edge, 0, np.where(inside, 1, -1)).astype(np.int8)


def _between(values: Floats, a: float, b: float) -> Mask:
    return (min(a, b) <= values) & (values <= max(a, b))

"""Datetimes in payloads and in filters: RFC 3339, and the shorter forms Qdrant takes."""

import re
from datetime import date

_DATETIME = re.compile(
    r"""\s*
    (?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})
    (?:
        [Tt\ ](?P<hour>\d{1,2}):(?P<minute>\d{1,2})
        (?P<seconds>
            :(?P<second>\d{1,2})(?:\.(?P<fraction>\d+))?
            (?:\ ?(?P<zone>[Zz]|UTC|[+-]\d\d(?::?\d\d)?))?
        )?
    )?
    """,
    re.ASCII | re.VERBOSE,
)
_MICROSECONDS = 1_000_000
_EPOCH = date(1970, 1, 1).toordinal()


def parse_datetime(text: str) -> int | None:
    """Microseconds since 1970-01-01T00:00:00Z, rounded down; None for a text that is no datetime.

    Without a zone it is UTC. The forms: a date; a date and hours and minutes; a date and a time to the second, with
    an optional fraction and an optional zone (Z, UTC, +01, +0100 or +01:00). Date and time are parted by T or a space.
    Years are 0001 to 9999. A leap second (60) is the second after.
    """
    match = _DATETIME.fullmatch(text)
    if match is None:
        return None
    try:
        days = date(int(match["year"]), int(match["month"]), int(match["day"])).toordinal() - _EPOCH
    except ValueError:
        return None
    hour, minute, second = int(match["hour"] or 0), int(match["minute"] or 0), int(match["second"] or 0)
    offset = _offset_minutes(match["zone"])
    if hour > 23 or minute > 59 or second > 60 or offset is None:
        return None
    fraction = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second
    return seconds * _MICROSECONDS + fraction


def _offset_minutes(zone: str | None) -> int | None:
    """Minutes east of UTC; None when out of range."""
    if zone is None or zone in ("Z", "z", "UTC"):
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
    if hours > 23 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)

"""What to fetch of points."""

import msgspec

from schemas.json_path import Path


class PayloadInclude(msgspec.Struct, frozen=True, tag="include"):
    """Only what these payload keys lead to."""

    paths: tuple[Path, ...]


class PayloadExclude(msgspec.Struct, frozen=True, tag="exclude"):
    """Everything but what these payload keys lead to."""

    paths: tuple[Path, ...]


class Selection(msgspec.Struct, frozen=True):
    """What to fetch of a point: the payload or parts of it; all vectors, none, or those of some names."""

    with_payload: bool | PayloadInclude | PayloadExclude = True
    with_vector: bool | tuple[str, ...] = False


NOTHING = Selection(with_payload=False)
"""Whether a point is there at all."""

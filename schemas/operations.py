"""The operations: mutations of points, columnar, as records carry them.

Ids are in wire form (``schemas.ids``). Filters are the JSON object of Qdrant's filter; ``schemas.filters`` parses it.
An operation names its points by ``ids`` or by ``filter``, one of them.
"""

from enum import StrEnum
from typing import Any

import msgspec

from schemas.ids import WireId
from schemas.vectors.registry import VectorColumn

FilterObject = dict[str, Any]


class UpdateMode(StrEnum):
    """Which points an upsert may write."""

    UPSERT = "upsert"
    INSERT_ONLY = "insert_only"
    UPDATE_ONLY = "update_only"


class _Operation(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="op"):
    pass


class Upsert(_Operation, frozen=True, tag="upsert"):
    """Insert points, or replace them whole. ``payloads`` holds a JSON object each, empty bytes for none."""

    ids: list[WireId]
    vectors: dict[str, VectorColumn]
    payloads: list[bytes] | None = None
    update_filter: FilterObject | None = None
    update_mode: UpdateMode = UpdateMode.UPSERT


class UpdateVectors(_Operation, frozen=True, tag="update_vectors"):
    """Replace the given vectors of existing points, leave their others."""

    ids: list[WireId]
    vectors: dict[str, VectorColumn]
    update_filter: FilterObject | None = None


class DeleteVectors(_Operation, frozen=True, tag="delete_vectors"):
    """Remove vectors by name; the points stay."""

    names: list[str]
    ids: list[WireId] | None = None
    filter: FilterObject | None = None


class SetPayload(_Operation, frozen=True, tag="set_payload"):
    """Merge ``payload`` (a JSON object) into the points' payload, at the path ``key`` where given."""

    payload: bytes
    key: str | None = None
    ids: list[WireId] | None = None
    filter: FilterObject | None = None


class OverwritePayload(_Operation, frozen=True, tag="overwrite_payload"):
    """Replace the points' payload whole, or what is at the path ``key``."""

    payload: bytes
    key: str | None = None
    ids: list[WireId] | None = None
    filter: FilterObject | None = None


class DeletePayload(_Operation, frozen=True, tag="delete_payload"):
    """Remove payload keys (paths)."""

    keys: list[str]
    ids: list[WireId] | None = None
    filter: FilterObject | None = None


class ClearPayload(_Operation, frozen=True, tag="clear_payload"):
    """Remove the whole payload."""

    ids: list[WireId] | None = None
    filter: FilterObject | None = None


class DeletePoints(_Operation, frozen=True, tag="delete"):
    """Delete points."""

    ids: list[WireId] | None = None
    filter: FilterObject | None = None


Operation = (
    Upsert | UpdateVectors | DeleteVectors | SetPayload | OverwritePayload | DeletePayload | ClearPayload | DeletePoints
)


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one operation: applied (no reason), or rejected with a reason and its HTTP status."""

    reason: str | None = None
    status: int = 0

    @property
    def applied(self) -> bool:
        """Whether the operation took effect."""
        return self.reason is None

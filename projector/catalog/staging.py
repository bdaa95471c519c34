"""Collections that are filled before anybody sees them, and then take the place of one that is there.

A staged collection is one like any other, but for its name, which nobody may use: ``staged_name`` of the one it is to
take. There is at most one for a name. Publishing exchanges the two, so that whoever reads has the old one or the new
one, whole; what was there before is staged then, and is discarded by a record of its own, once all readers see the new.
"""

from dataclasses import replace

import msgspec

from projector.catalog.effects import CatalogEffects, change_collections, close_collections, open_collection
from projector.catalog.state import CatalogState, CollectionMeta
from schemas.config import check_collection_name, check_config, shard_key_name, staged_name
from schemas.errors import ConflictError, NotFoundError
from schemas.records import DiscardCollection, PublishCollection, StageCollection


def fold_staging(
    state: CatalogState, record: StageCollection | PublishCollection | DiscardCollection
) -> CatalogEffects:
    """The effects of ``record``. Raises NotFoundError, ConflictError, BadInputError, UnprocessableError."""
    if isinstance(record, StageCollection):
        return _stage(state, record)
    staged = state.collections.get(staged_name(record.name))
    if staged is None or staged.uid != record.uid:
        raise NotFoundError(
            f"Not found: collection `{record.name}` is dropped, or being replaced by another request that began later"
        )
    if isinstance(record, DiscardCollection):
        return close_collections(state, [staged.name])
    return _publish(state, staged, record.name)


def _stage(state: CatalogState, record: StageCollection) -> CatalogEffects:
    check_collection_name(record.name)
    check_config(record.config)
    _check_no_alias(state, record.name)
    kept_as = staged_name(record.name)
    closed = close_collections(state, [kept_as])
    opened = open_collection(closed.state, record, kept_as)
    return replace(opened, markers=closed.markers + opened.markers)


def _check_no_alias(state: CatalogState, name: str) -> None:
    if name in state.aliases:
        raise ConflictError(f"Wrong input: Alias `{name}` already exists!")


def _publish(state: CatalogState, staged: CollectionMeta, name: str) -> CatalogEffects:
    # What is written by name in between goes to the new one, which partitions take when two have the name.
    _check_no_alias(state, name)
    families = (state.family(staged.name), name), (state.family(name), staged.name)
    renamed = [
        msgspec.structs.replace(meta, name=now if meta.key is None else shard_key_name(now, meta.key))
        for family, now in families
        for meta in family
    ]
    gone = {meta.name for family, _ in families for meta in family}
    return change_collections(state, renamed, gone, renamed=True)

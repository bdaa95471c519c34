"""The catalog's fold: (catalog state, record) -> state, markers, outcome. Pure, like the points' fold.

The uid, the limits and the number of partitions are in the records, put there by the writer, so the assignment of
shards to partitions is a function of the catalog's log alone.
"""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from ingest.outcomes import rejected
from projector.catalog.effects import CatalogEffects, change_collections, close_collections, open_collection
from projector.catalog.shard_keys import fold_shard_keys
from projector.catalog.staging import fold_staging
from projector.catalog.state import CatalogState, CollectionMeta
from schemas.config import (
    CollectionConfig,
    apply_patch,
    check_collection_count,
    check_collection_name,
    check_config,
    is_hidden,
    staged_name,
)
from schemas.errors import BadInputError, ConflictError, HeadwaterError, NotFoundError
from schemas.operations import Outcome
from schemas.records import (
    AliasAction,
    CatalogRecord,
    ChangeAliases,
    CreateAlias,
    CreateCollection,
    CreateShardKey,
    CreateVectorName,
    DeleteAlias,
    DeleteCollection,
    DeleteShardKey,
    DeleteVectorName,
    DiscardCollection,
    PublishCollection,
    StageCollection,
    UpdateCollection,
)
from schemas.vectors.names import add_name, delete_name


def fold_catalog(state: CatalogState, record: CatalogRecord) -> CatalogEffects:
    """The effects of ``record``; a record that breaks a rule changes nothing and its outcome says why."""
    try:
        if isinstance(record, CreateCollection):
            return _create(state, record)
        if isinstance(record, UpdateCollection):
            return _update(state, record)
        if isinstance(record, CreateVectorName | DeleteVectorName):
            return _change_names(state, record)
        if isinstance(record, DeleteCollection):
            return _delete(state, record)
        if isinstance(record, StageCollection | PublishCollection | DiscardCollection):
            return fold_staging(state, record)
        if isinstance(record, CreateShardKey | DeleteShardKey):
            return fold_shard_keys(state, record)
        return CatalogEffects(replace(state, aliases=_change_aliases(state, record)), Outcome())
    except HeadwaterError as error:
        return CatalogEffects(state, rejected(error))


def _create(state: CatalogState, record: CreateCollection) -> CatalogEffects:
    name = record.name
    check_collection_name(name)
    check_config(record.config)
    if name in state.collections:
        raise ConflictError(f"Wrong input: Collection `{name}` already exists!")
    if name in state.aliases:
        raise BadInputError(
            f"Wrong input: Can't create collection with name {name}. Alias with the same name already exists"
        )
    check_collection_count(name, state.collections, record.max_collections)
    return open_collection(state, record, name)


def _resolve(state: CatalogState, name: str) -> CollectionMeta:
    meta = state.resolve(name)
    if meta is None:
        raise NotFoundError(f"Not found: Collection `{name}` doesn't exist!")
    return meta


def _update(state: CatalogState, record: UpdateCollection) -> CatalogEffects:
    meta = _resolve(state, record.name)
    return _reconfigure(state, meta, apply_patch(meta.config, record.patch))


def _change_names(state: CatalogState, record: CreateVectorName | DeleteVectorName) -> CatalogEffects:
    meta = _resolve(state, record.name)
    if isinstance(record, DeleteVectorName):
        return _reconfigure(state, meta, delete_name(meta.config, record.vector))
    params = record.dense or record.sparse
    if params is None:
        raise BadInputError("Wrong input: a vector name is added as a dense or a sparse one")
    return _reconfigure(state, meta, add_name(meta.config, record.vector, params))


def _reconfigure(state: CatalogState, meta: CollectionMeta, config: CollectionConfig) -> CatalogEffects:
    changed = [msgspec.structs.replace(meta, config=config)]
    for key in state.family(meta.name)[1:]:
        own = msgspec.structs.replace(config, shard_number=key.config.shard_number)
        changed.append(msgspec.structs.replace(key, config=own))
    return change_collections(state, changed)


def _delete(state: CatalogState, record: DeleteCollection) -> CatalogEffects:
    if is_hidden(record.name) or record.name not in state.collections:
        raise NotFoundError(f"Not found: Collection `{record.name}` doesn't exist!")
    aliases = {a: n for a, n in state.aliases.items() if n != record.name}
    return close_collections(replace(state, aliases=aliases), [record.name, staged_name(record.name)])


def _change_aliases(state: CatalogState, record: ChangeAliases) -> Mapping[str, str]:
    aliases = dict(state.aliases)
    for action in record.actions:
        _change_alias(state, aliases, action)
    return aliases


def _change_alias(state: CatalogState, aliases: dict[str, str], action: AliasAction) -> None:
    if isinstance(action, CreateAlias):
        check_collection_name(action.alias)
        if action.collection not in state.collections:
            raise NotFoundError(f"Not found: Collection `{action.collection}` doesn't exist!")
        if action.alias in state.collections:
            raise ConflictError(f"Wrong input: Collection `{action.alias}` already exists!")
        aliases[action.alias] = action.collection
    elif isinstance(action, DeleteAlias):
        aliases.pop(action.alias, None)
    else:
        check_collection_name(action.new)
        if action.old not in aliases:
            raise NotFoundError(f"Not found: Alias {action.old} does not exists!")
        if action.new in state.collections:
            raise ConflictError(f"Wrong input: Collection `{action.new}` already exists!")
        aliases[action.new] = aliases.pop(action.old)

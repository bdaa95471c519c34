"""Adding vector names to a collection's configuration, and deleting them. No position is used a second time."""

from typing import Any

import msgspec

from schemas.config import MAX_POSITIONS, CollectionConfig, check_config
from schemas.errors import BadInputError
from schemas.vectors.params import AnyVectorParams, SparseVectorParams, VectorParams


def add_name(config: CollectionConfig, name: str, params: AnyVectorParams) -> CollectionConfig:
    """The configuration with one more name; as it is where it has the name with the same parameters already.

    Raises BadInputError where it has it with others, UnprocessableError for what no configuration can have.
    """
    known = config.names.get(name)
    if known is not None:
        _check_same(name, known, params)
        return config
    positioned = with_positions(config)
    position = positioned.next_position
    if position >= MAX_POSITIONS:
        raise BadInputError(
            f"Wrong input: a collection can have had {MAX_POSITIONS} vector names, deleted ones included"
        )
    changed = msgspec.structs.replace(positioned, next_position=position + 1)
    if isinstance(params, SparseVectorParams):
        sparse = {**changed.sparse_vectors, name: msgspec.structs.replace(params, position=position)}
        changed = msgspec.structs.replace(changed, sparse_vectors=sparse)
    else:
        vectors = {**changed.vectors, name: msgspec.structs.replace(params, position=position)}
        changed = msgspec.structs.replace(changed, vectors=vectors)
    check_config(changed)
    return changed


def delete_name(config: CollectionConfig, name: str) -> CollectionConfig:
    """The configuration without a name; as it is where it has none of that name."""
    if name not in config.names:
        return config
    positioned = with_positions(config)
    return msgspec.structs.replace(
        positioned,
        vectors={n: p for n, p in positioned.vectors.items() if n != name},
        sparse_vectors={n: p for n, p in positioned.sparse_vectors.items() if n != name},
    )


def with_positions(config: CollectionConfig) -> CollectionConfig:
    """The same configuration with every position said, so that names can come and go."""
    at = config.positions
    replace = msgspec.structs.replace
    return replace(
        config,
        vectors={name: replace(params, position=at[name]) for name, params in config.vectors.items()},
        sparse_vectors={name: replace(params, position=at[name]) for name, params in config.sparse_vectors.items()},
        next_position=config.next_position or len(at),
    )


def _check_same(name: str, known: AnyVectorParams, params: AnyVectorParams) -> None:
    if isinstance(known, SparseVectorParams) != isinstance(params, SparseVectorParams):
        kind = "sparse" if isinstance(known, SparseVectorParams) else "dense"
        raise BadInputError(f"Wrong input: Vector `{name}` already exists as a {kind} vector")
    if _fixed(known) != _fixed(params):
        raise BadInputError(f"Wrong input: Vector `{name}` already exists with a different configuration")


def _fixed(params: AnyVectorParams) -> tuple[Any, ...]:
    if isinstance(params, VectorParams):
        return (params.size, params.distance, params.datatype, params.multivector_config)
    return (params.modifier, params.index and params.index.datatype)

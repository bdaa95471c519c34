"""Markers: what the catalog tells a partition.

Anybody can write one, so each is checked. What the catalog itself sends has passed the same checks there.
"""

from typing import NamedTuple

import msgspec

from ingest.outcomes import rejected
from projector.fold.effects import ShardEffects, ShardMeta, StateReader
from projector.fold.outcomes import APPLIED
from projector.frames import Closed, Opened, Reconfigured, ShardId
from schemas.config import CollectionConfig, check_config, check_kept_name
from schemas.errors import BadInputError, HeadwaterError
from schemas.operations import Outcome
from schemas.records import Marker, ShardChanged, ShardClosed, ShardOpened
from schemas.vectors.params import AnyVectorParams, Datatype, SparseVectorParams


class MarkerEffects(NamedTuple):
    """What a marker does: nothing but an outcome when it is no good."""

    outcome: Outcome = APPLIED
    seq: int | None = None
    shard: ShardEffects | None = None


def fold_marker(reader: StateReader, marker: Marker, offset: int) -> MarkerEffects:
    """What ``marker`` does at ``offset``: nothing when its sequence number was seen."""
    shard = ShardId(marker.uid, marker.shard)
    if marker.seq <= reader.marker_seq:
        return MarkerEffects()
    old = reader.shard(shard)
    try:
        _check(marker, old)
    except HeadwaterError as error:
        return MarkerEffects(rejected(error))
    effects = ShardEffects(shard)
    if isinstance(marker, ShardOpened):
        effects.meta = ShardMeta(marker.name, marker.config, marker.shard_map, opened=offset)
        effects.events.append(Opened(shard, marker.name, marker.config, marker.shard_map))
    elif old is None:
        return MarkerEffects(seq=marker.seq)
    elif isinstance(marker, ShardChanged):
        effects.meta = msgspec.structs.replace(old, config=marker.config, name=marker.name or old.name)
        effects.events.append(Reconfigured(shard, marker.config))
    else:
        effects.closed = True
        effects.events.append(Closed(shard))
    return MarkerEffects(seq=marker.seq, shard=effects)


def _check(marker: Marker, old: ShardMeta | None) -> None:
    """Raise BadInputError, UnprocessableError when ``marker`` breaks a rule."""
    if isinstance(marker, ShardClosed):
        return
    check_config(marker.config)
    if marker.name is not None:
        check_kept_name(marker.name)
    if isinstance(marker, ShardOpened):
        shards = len(marker.shard_map)
        if marker.shard >= shards:
            raise BadInputError(f"Wrong input: shard {marker.shard} is not one of the {shards} of shard_map")
        if old is not None:
            raise BadInputError(f"Wrong input: shard {marker.shard} of collection {marker.uid} is open already")
    elif old is not None and not _goes_on(marker.config, old.config):
        raise BadInputError("Wrong input: what a position in stored points means never changes")


def _goes_on(new: CollectionConfig, old: CollectionConfig) -> bool:
    """Whether the positions that both have mean the same vectors, and no other that is new was ever used.

    Names come and go only where the next position is told, so that the next change knows which were used.
    """
    before, after = _layout(old), _layout(new)
    used = old.next_position or len(before)
    if before.keys() != after.keys() and new.next_position < used:
        return False
    return all(before[at] == after[at] if at in before else at >= used for at in after)


def _layout(config: CollectionConfig) -> dict[int, tuple[object, ...]]:
    """What stored points, segments and searches rely on, by position."""
    names = config.names
    return {at: (name, *_fixed(names[name])) for name, at in config.positions.items()}


def _fixed(params: AnyVectorParams) -> tuple[object, ...]:
    """What never changes of a name's parameters."""
    if isinstance(params, SparseVectorParams):
        return ()
    return (params.size, params.distance, params.datatype or Datatype.FLOAT32, params.multivector_config)

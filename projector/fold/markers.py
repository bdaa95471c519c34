"""Markers: what the catalog tells a partition.

Anybody can write one, so each is checked. What the catalog itself sends has passed the same checks there.
"""

import msgspec

from ingest.outcomes import rejected
from projector.fold.effects import Effects, ShardMeta, StateReader
from projector.fold.outcomes import APPLIED
from projector.frames import Closed, Opened, Reconfigured, ShardId
from schemas.config import CollectionConfig, Distance, check_collection_name, check_config
from schemas.errors import BadInputError, HeadwaterError
from schemas.records import Marker, ShardChanged, ShardClosed, ShardOpened


def fold_marker(reader: StateReader, marker: Marker, offset: int) -> Effects:
    """The effects of ``marker`` at ``offset``: none when its sequence number was seen.

    None but an outcome when it is no good.
    """
    shard = ShardId(marker.uid, marker.shard)
    if marker.seq <= reader.marker_seq:
        return Effects(outcomes=[APPLIED])
    old = reader.shard(shard)
    try:
        _check(marker, old)
    except HeadwaterError as error:
        return Effects(outcomes=[rejected(error)])
    effects = Effects(marker_seq=marker.seq, outcomes=[APPLIED])
    if isinstance(marker, ShardOpened):
        effects.shard = shard
        effects.meta = ShardMeta(marker.name, marker.config, marker.shard_map, opened=offset)
        effects.events.append(Opened(shard, marker.name, marker.config, marker.shard_map))
    elif old is None:
        return effects
    elif isinstance(marker, ShardChanged):
        effects.shard = shard
        effects.meta = msgspec.structs.replace(old, config=marker.config)
        effects.events.append(Reconfigured(shard, marker.config))
    else:
        effects.shard = shard
        effects.closed = True
        effects.events.append(Closed(shard))
    return effects


def _check(marker: Marker, old: ShardMeta | None) -> None:
    """Raise BadInputError, UnprocessableError when ``marker`` breaks a rule."""
    if isinstance(marker, ShardClosed):
        return
    check_config(marker.config)
    if isinstance(marker, ShardOpened):
        check_collection_name(marker.name)
        shards = len(marker.shard_map)
        if marker.shard >= shards:
            raise BadInputError(f"Wrong input: shard {marker.shard} is not one of the {shards} of shard_map")
        if old is not None:
            raise BadInputError(f"Wrong input: shard {marker.shard} of collection {marker.uid} is open already")
    elif old is not None and _layout(marker.config) != _layout(old.config):
        raise BadInputError("Wrong input: the vectors of a shard that is open keep their names, sizes and distances")


def _layout(config: CollectionConfig) -> list[tuple[str, int, Distance]]:
    """What stored points, segments and searches rely on, in the order of the names."""
    return [(name, params.size, params.distance) for name, params in config.vectors.items()]

"""Markers: what the catalog tells a partition."""

import msgspec

from projector.fold.effects import Effects, ShardMeta, StateReader
from projector.fold.outcomes import APPLIED
from projector.frames import Closed, Opened, Reconfigured, ShardId
from schemas.records import Marker, ShardChanged, ShardOpened


def fold_marker(reader: StateReader, marker: Marker) -> Effects:
    """The effects of ``marker``: none when its sequence number was seen."""
    shard = ShardId(marker.uid, marker.shard)
    if marker.seq <= reader.marker_seq:
        return Effects(outcomes=[APPLIED])
    effects = Effects(marker_seq=marker.seq, outcomes=[APPLIED])
    old = reader.shard(shard)
    if isinstance(marker, ShardOpened):
        effects.shard = shard
        effects.meta = ShardMeta(marker.name, marker.config, marker.shard_map)
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

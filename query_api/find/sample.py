"""Points by chance."""

from itertools import islice

import numpy as np

from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.selection import passing_slots
from query_api.hits import Hit, first_place
from query_api.plan.leaves import Sample
from query_api.sorting import in_order

_SLOT_US = 0.01
_HIT_US = 2.0


def find_sample(view: ShardView, leaf: Sample, _: Allowance) -> list[Hit]:
    """Any of a shard's points that pass; another seed gives others. Each scores 1."""
    chance = np.random.default_rng((leaf.seed, view.shard.shard))
    hits: list[Hit] = []
    for number, part in enumerate(view.parts):
        found = passing_slots(part, leaf.filter)
        slots = np.arange(part.size) if found is None else found.slots()
        keys = chance.random(len(slots))
        if len(slots) > leaf.limit:
            chosen = np.argpartition(keys, leaf.limit)[: leaf.limit]
            slots, keys = slots[chosen], keys[chosen]
        places: list[int] = (slots + first_place(number)).tolist()
        rows = zip(keys.tolist(), part.ids_at(slots), places, strict=True)
        hits += [Hit(key, point_id, 1.0, place) for key, point_id, place in rows]
    return list(islice(in_order(hits), leaf.limit))


def sample_us(view: ShardView, leaf: Sample) -> float:
    """How long that takes, in microseconds, once it is known what passes."""
    return sum(part.size for part in view.parts) * _SLOT_US + leaf.limit * _HIT_US

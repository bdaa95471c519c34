"""How many vectors of a view have an index."""

import numpy as np

from projector.view.shard_view import ShardView


def indexed_vectors(view: ShardView) -> int:
    """Those in graphs, and all sparse ones: they are found through their indices, wherever they are."""
    graphs = sum(v.rows for part in view.segments for v in part.segment.meta.vectors if v.graph is not None)
    sparse = 0
    for part in view.parts:
        for name in view.config.sparse_vectors:
            held = part.vectors(name)
            if held is not None:
                sparse += part.alive_count if held.slots is None else int(np.count_nonzero(part.alive(held.slots)))
    return graphs + sparse

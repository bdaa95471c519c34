"""Discovery: by pairs of vectors, each with a side that is meant, and by a target."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from query_api.find.compared import Comparison, Nearnesses
from query_api.find.sigmoid import fast_sigmoid, sigmoid
from query_api.plan.leaves import Context, Discover
from query_api.vectors.comparison import Floats

_MARGIN = np.finfo(np.float32).eps


def _target_and_pairs(leaf: Discover) -> Sequence[bytes]:
    return (leaf.target, *chain.from_iterable(leaf.pairs))


def _pairs(leaf: Context) -> Sequence[bytes]:
    return tuple(chain.from_iterable(leaf.pairs))


def _discover(_: Discover, nearness: Nearnesses) -> Floats:
    sides = np.sign(nearness[1::2] - nearness[2::2]).sum(axis=0)
    return sides + sigmoid(nearness[0])


def _context(_: Context, nearness: Nearnesses) -> Floats:
    missing = np.minimum(nearness[0::2] - nearness[1::2] - _MARGIN, np.float32(0.0))
    return fast_sigmoid(missing).sum(axis=0)


DISCOVER = Comparison(_target_and_pairs, _discover)
CONTEXT = Comparison(_pairs, _context)

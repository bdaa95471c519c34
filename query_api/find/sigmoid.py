"""Qdrant's stand-ins for the logistic function: x / (1 + |x|)."""

import numpy as np

from query_api.vectors.comparison import Floats


def fast_sigmoid(values: Floats) -> Floats:
    """From -1 to 1."""
    return values / (np.float32(1.0) + np.abs(values))


def sigmoid(values: Floats) -> Floats:
    """From 0 to 1."""
    return np.float32(0.5) * (fast_sigmoid(values) + np.float32(1.0))

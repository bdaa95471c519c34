"""Turbo quantization: a rotation, after which all values are spread alike, then a few bits for each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.quantization.kind import Floats, QuantizationKind, Quantizer, Shape
from projector.quantization.levels import Levelled, Measured, levels_of
from projector.quantization.nibbles import NibblesQuantizer
from projector.quantization.planes import PlanesQuantizer
from schemas.quantization import TurboSettings

_BITS = {"bits1": 1.0, "bits1_5": 1.5, "bits2": 2.0, "bits4": 4.0}
_OVERSAMPLING = {"bits1": 8.0, "bits1_5": 6.0, "bits2": 4.0, "bits4": 2.0}
_QUERY_BITS = 4
_ROUNDS = 4
_SEED = 20


def _quantizer(settings: TurboSettings, shape: Shape, measured: Measured) -> Quantizer:
    bits = settings.bits or "bits4"
    levelled = Levelled(shape, measured, levels_of(_BITS[bits], measured))
    if bits == "bits4":
        return NibblesQuantizer(levelled, _OVERSAMPLING[bits])
    return PlanesQuantizer(levelled, _QUERY_BITS, _OVERSAMPLING[bits])


def _trained(settings: TurboSettings, shape: Shape, matrix: NDArray[Any]) -> Quantizer:
    signs = np.random.default_rng(_SEED).choice(np.array([-1, 1], np.float32), (_ROUNDS, shape.dim))
    return _quantizer(settings, shape, Measured.of(matrix, signs))


def _opened(settings: TurboSettings, shape: Shape, kept: Floats) -> Quantizer:
    return _quantizer(settings, shape, Measured.read(kept, shape.dim, _ROUNDS))


TURBO = QuantizationKind(_trained, _opened)

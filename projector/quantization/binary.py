"""Binary quantization: a bit a value, or one and a half, or two."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.quantization.kind import Floats, QuantizationKind, Shape
from projector.quantization.levels import Levelled, Measured, levels_of
from projector.quantization.planes import PlanesQuantizer
from schemas.quantization import BinarySettings

_BITS = {"one_bit": 1.0, "one_and_half_bits": 1.5, "two_bits": 2.0}
_QUERY_BITS = {"default": 4, "binary": 1, "scalar4bits": 4, "scalar8bits": 8}
_OVERSAMPLING = {"one_bit": 8.0, "one_and_half_bits": 6.0, "two_bits": 4.0}


def _quantizer(settings: BinarySettings, shape: Shape, measured: Measured) -> PlanesQuantizer:
    encoding = settings.encoding or "one_bit"
    query_bits = _QUERY_BITS[settings.query_encoding or "default"]
    levelled = Levelled(shape, measured, levels_of(_BITS[encoding], measured))
    return PlanesQuantizer(levelled, query_bits, _OVERSAMPLING[encoding])


def _trained(settings: BinarySettings, shape: Shape, matrix: NDArray[Any]) -> PlanesQuantizer:
    return _quantizer(settings, shape, Measured.of(matrix, np.empty((0, shape.dim), np.float32)))


def _opened(settings: BinarySettings, shape: Shape, kept: Floats) -> PlanesQuantizer:
    return _quantizer(settings, shape, Measured.read(kept, shape.dim, 0))


BINARY = QuantizationKind(_trained, _opened)

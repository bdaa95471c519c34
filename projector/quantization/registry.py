"""The kinds of quantization, by their settings."""

from typing import Any

from numpy.typing import NDArray

from projector.quantization.binary import BINARY
from projector.quantization.kind import Floats, QuantizationKind, Quantizer, Shape
from projector.quantization.product import PRODUCT
from projector.quantization.scalar import SCALAR
from projector.quantization.turbo import TURBO
from schemas.quantization import (
    AnySettings,
    BinarySettings,
    ProductSettings,
    Quantization,
    ScalarSettings,
    TurboSettings,
)

KINDS: dict[type[AnySettings], QuantizationKind] = {
    ScalarSettings: SCALAR,
    ProductSettings: PRODUCT,
    BinarySettings: BINARY,
    TurboSettings: TURBO,
}


def trained(quantization: Quantization, shape: Shape, matrix: NDArray[Any]) -> Quantizer:
    """How to quantize a segment's vectors, ``matrix``, [rows, dim] of any datatype; float32 ones normalised for Cosine.

    The same for the same rows.
    """
    return KINDS[type(quantization.kind)].trained(quantization.kind, shape, matrix)


def opened(quantization: Quantization, shape: Shape, kept: Floats) -> Quantizer:
    """How they were quantized. Raises ValueError for what doesn't fit."""
    return KINDS[type(quantization.kind)].opened(quantization.kind, shape, kept)

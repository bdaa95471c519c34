"""Quantization settings as requests give them. They are checked and kept; nothing is quantized by them yet."""

from typing import Annotated, Any, Literal

import msgspec

from schemas.vectors.params import Memory

Quantile = Annotated[float, msgspec.Meta(ge=0.5, le=1.0)]


class _Settings(msgspec.Struct, omit_defaults=True, kw_only=True):
    always_ram: bool | None = None
    memory: Memory | None = None


class ScalarSettings(_Settings, kw_only=True):
    """One byte per value."""

    type: Literal["int8"]
    quantile: Quantile | None = None


class ProductSettings(_Settings, kw_only=True):
    """Product quantization by a fixed factor."""

    compression: Literal["x4", "x8", "x16", "x32", "x64"]


class BinarySettings(_Settings, kw_only=True):
    """One bit per value, or about."""

    encoding: Literal["one_bit", "two_bits", "one_and_half_bits"] | None = None
    query_encoding: Literal["default", "binary", "scalar4bits", "scalar8bits"] | None = None


class TurboSettings(_Settings, kw_only=True):
    """A rotation, then a few bits per value."""

    bits: Literal["bits1", "bits1_5", "bits2", "bits4"] | None = None


class Quantization(msgspec.Struct, omit_defaults=True):
    """Quantization settings: one kind."""

    scalar: ScalarSettings | None = None
    product: ProductSettings | None = None
    binary: BinarySettings | None = None
    turbo: TurboSettings | None = None

    def __post_init__(self) -> None:
        if [self.scalar, self.product, self.binary, self.turbo].count(None) != 3:
            raise ValueError("Expected one of `scalar`, `product`, `binary` and `turbo`")


def quantization_settings(quantization: Quantization | None) -> dict[str, Any] | None:
    """The settings as the configuration keeps them."""
    return None if quantization is None else msgspec.to_builtins(quantization)

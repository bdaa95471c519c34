"""Quantization settings: as requests give them, and as builds of segments follow them."""

from typing import Annotated, Any, Literal

import msgspec

from schemas.struct_types import look_through
from schemas.vectors.params import Memory

Quantile = Annotated[float, msgspec.Meta(ge=0.5, le=1.0)]


class _Settings(msgspec.Struct, omit_defaults=True, kw_only=True):
    always_ram: bool | None = None
    memory: Memory | None = None

    @property
    def placement(self) -> Memory | None:
        """Where codes are kept; None: where the vectors are that they stand for."""
        return Memory.PINNED if self.memory is None and self.always_ram else self.memory


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


AnySettings = ScalarSettings | ProductSettings | BinarySettings | TurboSettings


class Quantization(msgspec.Struct, omit_defaults=True):
    """Quantization settings: one kind."""

    scalar: ScalarSettings | None = None
    product: ProductSettings | None = None
    binary: BinarySettings | None = None
    turbo: TurboSettings | None = None

    def __post_init__(self) -> None:
        if [self.scalar, self.product, self.binary, self.turbo].count(None) != 3:
            raise ValueError("Expected one of `scalar`, `product`, `binary` and `turbo`")

    @property
    def kind(self) -> AnySettings:
        """The settings of the one kind."""
        chosen = self.scalar or self.product or self.binary or self.turbo
        assert chosen is not None
        return chosen

    @property
    def without_placement(self) -> dict[str, Any]:
        """What codes depend on, as plain values."""
        return {
            name: {key: value for key, value in settings.items() if key not in ("always_ram", "memory")}
            for name, settings in msgspec.to_builtins(self).items()
        }


look_through(Quantization)


def quantization_settings(quantization: Quantization | None) -> dict[str, Any] | None:
    """The settings as the configuration keeps them."""
    return None if quantization is None else msgspec.to_builtins(quantization)


def read_quantization(settings: dict[str, Any] | None) -> Quantization | None:
    """Settings as a configuration keeps them; None where there are none, or none that this release understands."""
    if settings is None:
        return None
    try:
        return msgspec.convert(settings, Quantization)
    except msgspec.ValidationError:
        return None

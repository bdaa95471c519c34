"""Sections: the named arrays a column consists of, in memory or in a flat file."""

from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Sections = dict[str, NDArray[Any]]
ScalarT = TypeVar("ScalarT", bound=np.generic)


class SectionSource(Protocol):
    """Where a reader takes its arrays from."""

    def array(self, section: str, dtype: type[ScalarT]) -> NDArray[ScalarT]:
        """A section, read-only; empty when it isn't there."""
        ...

    def damage(self, reason: str) -> Exception | None:
        """The error for sections that can't be read, None where these can't be damaged."""
        ...


class ArraySource(Protocol):
    """A flat file, or what stands for one in memory."""

    def __contains__(self, section: str) -> bool: ...

    def array(self, section: str, dtype: type[ScalarT]) -> NDArray[ScalarT]:
        """A section that is there."""
        ...

    def damage(self, reason: str) -> Exception | None:
        """As a SectionSource."""
        ...


class SectionSink(Protocol):
    """What sections are written to."""

    def put(self, name: str, data: NDArray[Any]) -> None:
        """Write a section in one piece."""
        ...


class MemorySections:
    """Sections in memory, as source and as sink."""

    def __init__(self) -> None:
        self._sections: Sections = {}

    def __contains__(self, section: str) -> bool:
        return section in self._sections

    def put(self, name: str, data: NDArray[Any]) -> None:
        """Keep a section."""
        self._sections[name] = data

    def array(self, section: str, dtype: type[ScalarT]) -> NDArray[ScalarT]:
        """A section put before."""
        return self._sections[section].view(dtype)

    def damage(self, reason: str) -> None:
        """What is in memory is as it was written."""


class Prefixed:
    """The sections of ``source`` that begin with ``prefix``, an absent one being empty."""

    def __init__(self, source: ArraySource, prefix: str) -> None:
        self._source = source
        self._prefix = prefix

    def array(self, section: str, dtype: type[ScalarT]) -> NDArray[ScalarT]:
        """A section, empty when it isn't there."""
        name = self._prefix + section
        return self._source.array(name, dtype) if name in self._source else np.empty(0, dtype)

    def damage(self, reason: str) -> Exception | None:
        """The error for sections that can't be read."""
        return self._source.damage(f"{self._prefix}*: {reason}")

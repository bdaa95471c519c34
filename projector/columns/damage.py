"""Damaged columns: what can't be read as it was written is told as damage, not as what that led to."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from projector.columns.sections import SectionSource

_UNREADABLE = (ValueError, IndexError, OverflowError)
"""What bytes lead to that were changed: lengths that don't fit, places beyond the end, text that is none."""
P = ParamSpec("P")
ResultT = TypeVar("ResultT")


class Sectioned(Protocol):
    """What reads from sections."""

    @property
    def source(self) -> SectionSource:
        """Where they are."""
        ...


SectionedT = TypeVar("SectionedT", bound=Sectioned)


def tells_damage(
    read: Callable[Concatenate[SectionedT, P], ResultT],
) -> Callable[Concatenate[SectionedT, P], ResultT]:
    """Let a method raise its source's damage (SegmentDamagedError, of a file) where its sections can't be read."""

    @wraps(read)
    def told(self: SectionedT, *args: P.args, **kwargs: P.kwargs) -> ResultT:
        try:
            return read(self, *args, **kwargs)
        except _UNREADABLE as error:
            damage = self.source.damage(f"{type(error).__name__}: {error}")
            if damage is None:
                raise
            raise damage from error

    return told

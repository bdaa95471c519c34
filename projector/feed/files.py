"""The names of feed files: ``<generation>-<first sequence>.feed``, both as 16 hexadecimal digits."""

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

BELLS = "bells"
"""The folder, beside the files, in which readers hang their bells."""
NEW_SUFFIX = ".new"
"""A file that is not complete yet."""

_NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{16})\.feed")


class FeedFile(NamedTuple):
    """Sorts by generation, then by sequence."""

    generation: int
    first_sequence: int

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.generation:016x}-{self.first_sequence:016x}.feed"


_CLOCK_NANOSECONDS = 1_000_000_000
"""A folder that was changed longer ago than this has another time stamp when it changes again, however coarse the
file system's clock is."""


class Listing:
    """The names in a folder, read again only when they may have changed: feeds look for each frame."""

    def __init__(self, folder: Path) -> None:
        """``folder`` need not exist yet."""
        self._folder = folder
        self._changed_at: int | None = None
        self._names: list[str] = []

    def names(self) -> list[str]:
        """The names; the same list as before when nothing has changed. Raises FileNotFoundError."""
        changed_at = os.stat(self._folder).st_mtime_ns
        if changed_at != self._changed_at:
            told_apart = time.time_ns() - changed_at > _CLOCK_NANOSECONDS
            self._names = os.listdir(self._folder)
            self._changed_at = changed_at if told_apart else None
        return self._names


def list_files(folder: Path) -> list[FeedFile]:
    """The feed files in ``folder``, in order; none when there is no such folder."""
    try:
        return feed_files(os.listdir(folder))
    except FileNotFoundError:
        return []


def feed_files(names: Sequence[str]) -> list[FeedFile]:
    """The feed files among ``names``, in order."""
    matches = [match for name in names if (match := _NAME.fullmatch(name))]
    return sorted(FeedFile(int(match[1], 16), int(match[2], 16)) for match in matches)

"""The names of feed files: ``<generation>-<first sequence>.feed``, both as 16 hexadecimal digits."""

import os
import re
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


def list_files(folder: Path) -> list[FeedFile]:
    """The feed files in ``folder``, in order; none when there is no such folder."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    matches = [match for name in names if (match := _NAME.fullmatch(name))]
    return sorted(FeedFile(int(match[1], 16), int(match[2], 16)) for match in matches)

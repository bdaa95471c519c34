"""Cargo's lock file without its sources: python cargo.py FOLDER, python cargo.py --strip FILE.

Each package of a Cargo.lock names the registry it comes from; in the repository is ``Cargo.lock.in``, which says
versions and checksums alone. A lock file that Cargo made anew says where its packages come from on this machine: the
first command puts that back, so that ``cargo --locked`` then takes what is pinned.
"""

import re
import sys
from pathlib import Path

_CHECKSUM = re.compile(r"^(checksum = )", re.MULTILINE)
_SOURCE = re.compile(r"^source = .*\n", re.MULTILINE)


def restoring(folder: Path) -> list[str]:
    """The command that pins what ``folder``'s Cargo.lock chose."""
    return [sys.executable, __file__, str(folder)]


def restore(folder: Path) -> None:
    """Make ``Cargo.lock`` of ``Cargo.lock.in`` and the source that the Cargo.lock there names."""
    lock = folder / "Cargo.lock"
    sources = set(_SOURCE.findall(lock.read_text()))
    if len(sources) != 1:
        raise SystemExit(f"{lock} names {len(sources)} sources")
    source = sources.pop()
    lock.write_text(_CHECKSUM.sub(lambda found: source + found[1], (folder / "Cargo.lock.in").read_text()))


def strip(lock: Path) -> None:
    """Write ``Cargo.lock.in`` beside a lock file."""
    lock.with_name("Cargo.lock.in").write_text(_SOURCE.sub("", lock.read_text()))


if __name__ == "__main__":
    if sys.argv[1] == "--strip":
        strip(Path(sys.argv[2]))
    else:
        restore(Path(sys.argv[1]))

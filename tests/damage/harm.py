"""Harm to the bytes of one file, at random places. Each function says what it did."""

import os
import random
from collections.abc import Callable
from pathlib import Path

SECTOR = 512
PAGE = 4096
MOST_OVERWRITTEN = 64


def flip_bit(path: Path, rng: random.Random) -> str:
    """One bit."""
    at, bit = rng.randrange(path.stat().st_size), rng.randrange(8)
    _write(path, at, bytes([_read(path, at, 1)[0] ^ 1 << bit]))
    return f"bit {bit} of byte {at} flipped"


def overwrite(path: Path, rng: random.Random) -> str:
    """Up to 64 bytes by random ones."""
    size = path.stat().st_size
    length = min(rng.randint(1, MOST_OVERWRITTEN), size)
    at = rng.randrange(size - length + 1)
    _write(path, at, rng.randbytes(length))
    return f"{length} bytes at {at} overwritten"


def zero_sectors(path: Path, rng: random.Random) -> str:
    """A whole sector or page, as a disk that lost a write leaves."""
    size = path.stat().st_size
    unit = rng.choice((SECTOR, PAGE))
    at = rng.randrange(size) // unit * unit
    length = min(unit, size - at)
    _write(path, at, bytes(length))
    return f"{length} bytes at {at} zeroed"


def cut(path: Path, rng: random.Random) -> str:
    """The end, from a random place on."""
    size = path.stat().st_size
    kept = rng.choice((0, max(0, size - rng.randint(1, 100)), rng.randrange(size)))
    os.truncate(path, kept)
    return f"cut from {size} to {kept} bytes"


def swap(path: Path, rng: random.Random) -> str:
    """Two parts of the file, of the same length, which are both what was written, but not there."""
    size = path.stat().st_size
    length = min(rng.choice((1, 8, SECTOR, PAGE)), max(1, size // 2))
    first, second = rng.randrange(size - length + 1), rng.randrange(size - length + 1)
    one, other = _read(path, first, length), _read(path, second, length)
    _write(path, first, other)
    _write(path, second, one)
    return f"{length} bytes at {first} and {second} swapped"


def remove(path: Path, rng: random.Random) -> str:
    """All of it."""
    del rng
    path.unlink()
    return "removed"


Harm = Callable[[Path, random.Random], str]
HARMS: tuple[Harm, ...] = (flip_bit, overwrite, zero_sectors, cut, swap, remove)


def _read(path: Path, at: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(length)


def _write(path: Path, at: int, data: bytes) -> None:
    with path.open("rb+") as file:
        file.seek(at)
        file.write(data)

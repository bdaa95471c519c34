"""What a client says where a snapshot is: a URL to fetch, or a file in the snapshots' folder."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from compose.snapshots.folder import SnapshotsRoot, sha256_of
from schemas.errors import BadInputError

if TYPE_CHECKING:
    import httpx

_TIMEOUT_SECONDS = 60.0
_PIECE = 1 << 20
_KEY = re.compile(r"[^\x00-\x1f\x7f]*")


class SnapshotSource:
    """Gets snapshots from where they are."""

    def __init__(self, root: SnapshotsRoot) -> None:
        self._root = root

    @contextlib.asynccontextmanager
    async def get(self, location: str, api_key: str | None) -> AsyncGenerator[Path]:
        """The file of a snapshot, for as long as the context lasts. Raises BadInputError, OSError."""
        scheme = scheme_of(location)
        if scheme == "file":
            yield self._local(location)
        elif scheme in ("http", "https"):
            with self._root.temporary() as path:
                await _download(location, api_key, path)
                yield path
        else:
            raise BadInputError(f"Bad request: URL {location} with scheme {scheme} is not supported")

    def _local(self, location: str) -> Path:
        path = Path(unquote(urlsplit(location).path))
        if not self._root.holds(path):
            raise BadInputError(f'Bad request: Snapshot file "{path}" does not exist in the folder for snapshots')
        if not path.is_file():
            raise BadInputError(f'Bad request: Snapshot file "{path}" does not exist')
        return path


def scheme_of(location: str) -> str:
    """The scheme of a URL. Raises BadInputError for what is none."""
    try:
        scheme = urlsplit(location).scheme
    except ValueError:
        scheme = ""
    if not scheme:
        raise BadInputError(f'Format error in JSON body: relative URL without a base: "{location}"')
    return scheme.lower()


async def _download(location: str, api_key: str | None, path: Path) -> None:
    headers = {b"accept-encoding": b"identity"}
    if api_key is not None:
        if not _KEY.fullmatch(api_key):  # what httpx says of it has the key in it
            raise BadInputError("Wrong input: api_key: it has characters that no header may have")
        headers[b"api-key"] = api_key.encode()
    # Reading the certificates that are trusted takes 80 ms, and as long to import what few servers ever need.
    client = await asyncio.to_thread(_client)
    import httpx

    try:
        async with client, client.stream("GET", location, headers=headers) as answer:
            if not answer.is_success:
                reason = f"status - {answer.status_code} {answer.reason_phrase}"
                raise BadInputError(f"Wrong input: Failed to download tar from {_shown(location)}: {reason}")
            with path.open("wb") as file:
                async for piece in answer.aiter_bytes(_PIECE):
                    await asyncio.to_thread(file.write, piece)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise BadInputError(f"Wrong input: Failed to download snapshot from {_shown(location)}: {error}") from error


def _client() -> "httpx.AsyncClient":
    import httpx

    return httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=True, trust_env=False)


def _shown(location: str) -> str:
    """A URL without the name and the password that it may have: what is said of it is logged, too."""
    parts = urlsplit(location)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else location


async def check_sum(path: Path, expected: str | None) -> None:
    """Raise BadInputError unless ``expected`` is None or the SHA-256 of the file."""
    if expected is None:
        return
    found = await asyncio.to_thread(sha256_of, path)
    if found != expected.lower():
        raise BadInputError(f"Wrong input: Snapshot checksum mismatch: expected {expected}, got {found}")

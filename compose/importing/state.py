"""How far an import is, in a file, so that it goes on where it was ended."""

from pathlib import Path
from typing import Any

import msgspec

from compose.errors import UserError
from ingest.disk import replace_file


class CollectionState(msgspec.Struct, omit_defaults=True):
    """A collection: whether it was created, which keys are copied whole, and the next id of the one that is not."""

    created: bool = False
    keys: list[Any] = []
    offset: int | str | None = None
    copied: int = 0
    done: bool = False


class ImportState(msgspec.Struct):
    """All collections of an import from one server to another."""

    source: str
    target: str
    collections: dict[str, CollectionState] = {}


class StateFile:
    """The file. ``state`` is changed, and then saved."""

    def __init__(self, path: Path, source: str, target: str) -> None:
        """Raises UserError for the file of another import."""
        self._path = path
        self.state = ImportState(source, target)
        if not path.exists():
            return
        try:
            self.state = msgspec.json.decode(path.read_bytes(), type=ImportState)
        except (OSError, msgspec.DecodeError) as error:
            raise UserError(f"{path} can't be read: {error}") from error
        if (self.state.source, self.state.target) != (source, target):
            raise UserError(
                f"{path} is of an import from {self.state.source} to {self.state.target}: end that one, or name "
                "another file with --state"
            )

    def of(self, collection: str) -> CollectionState:
        """The state of a collection."""
        return self.state.collections.setdefault(collection, CollectionState())

    def save(self) -> None:
        """Write it. Raises OSError."""
        replace_file(self._path, msgspec.json.encode(self.state))

    def remove(self) -> None:
        """The import is done."""
        self._path.unlink(missing_ok=True)

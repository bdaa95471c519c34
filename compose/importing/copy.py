"""One collection after another: configuration, payload indexes, points in order of their ids, aliases."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from compose.errors import UserError
from compose.importing.client import Client, path_of
from compose.importing.settings import create_request, indexes, patch_request
from compose.importing.state import CollectionState, StateFile
from compose.progress import progress

_WANTED_BYTES = 2 << 20
_MAX_POINTS = 1000
_EVERYTHING: dict[str, Any] = {"with_payload": True, "with_vector": True}


class Point(msgspec.Struct, omit_defaults=True):
    """A point as it came: its numbers and payload are passed on as they are written."""

    id: int | str
    payload: msgspec.Raw = msgspec.Raw(b"null")
    vector: msgspec.Raw = msgspec.Raw(b"{}")


class _Page(msgspec.Struct):
    points: list[Point]
    next_page_offset: int | str | None = None


@dataclass(frozen=True, slots=True)
class Copied:
    """How many points a collection has on both sides at the end."""

    name: str
    there: int
    here: int


class Importer:
    """Copies from ``source`` to ``target``, and notes in ``file`` how far it is."""

    def __init__(self, source: Client, target: Client, file: StateFile) -> None:
        self._source = source
        self._target = target
        self._file = file

    def run(self, names: Sequence[str]) -> list[Copied]:
        """Copy the collections of these names, all when there are none. Raises UserError."""
        known = [collection["name"] for collection in self._source.get("/collections")["collections"]]
        for name in names:
            if name not in known:
                raise UserError(f"{self._source.url} has no collection {name}")
        copied = [self._collection(name) for name in names or known]
        self._aliases(set(names or known))
        return copied

    def _collection(self, name: str) -> Copied:
        state = self._file.of(name)
        info = self._source.get(path_of(name))
        if not state.created:
            self._create(name, info, state)
        if not state.done:
            self._declare(name, info)
            total = self._count(self._source, name)
            with progress(f"points of {name}", total) as advance:
                for points in self._points(name, state):
                    self._target.ask("PUT", path_of(name, "/points"), points, {"wait": "true"})
                    state.copied += len(points["points"])
                    self._file.save()
                    advance(min(state.copied, total))
            patch = patch_request(info)
            if patch:
                self._target.ask("PATCH", path_of(name), patch)
            state.done = True
            self._file.save()
        return Copied(name, self._count(self._source, name), self._count(self._target, name))

    def _create(self, name: str, info: dict[str, Any], state: CollectionState) -> None:
        if self._target.get(path_of(name, "/exists"))["exists"]:
            raise UserError(
                f"{self._target.url} has a collection {name} that this import did not make: delete it, or import others"
            )
        self._target.ask("PUT", path_of(name), create_request(info))
        state.created = True
        self._file.save()

    def _declare(self, name: str, info: dict[str, Any]) -> None:
        """Declare the payload indexes and shard keys that are not there yet."""
        there = indexes(self._target.get(path_of(name)))
        for key, schema in indexes(info).items():
            if key not in there:
                self._target.ask("PUT", path_of(name, "/index"), {"field_name": key, "field_schema": schema})
        known = _keys_of(self._target, name)
        for key in self._keys(name, info):
            if key is not None and key not in known:
                self._target.ask("PUT", path_of(name, "/shards"), {"shard_key": key})

    def _keys(self, name: str, info: dict[str, Any]) -> list[Any]:
        """The shard keys; None alone where there are none."""
        if info["config"]["params"].get("sharding_method") != "custom":
            return [None]
        return _keys_of(self._source, name)

    def _points(self, name: str, state: CollectionState) -> Iterator[dict[str, Any]]:
        """The bodies of upserts that are still to be made. ``state`` is where to go on once the last one was made."""
        for key in self._keys(name, self._source.get(path_of(name))):
            if key in state.keys and key is not None:
                continue
            own = {} if key is None else {"shard_key": key}
            limit = 16
            while True:
                asked = {"limit": limit, "offset": state.offset, **_EVERYTHING, **own}
                page = self._source.parsed(_Page, "POST", path_of(name, "/points/scroll"), asked)
                if page.points:
                    yield {"points": page.points, **own}
                state.offset = page.next_page_offset
                if state.offset is None:
                    break
                size = sum(len(bytes(p.payload)) + len(bytes(p.vector)) for p in page.points)
                limit = max(1, min(_MAX_POINTS, limit * 2, len(page.points) * _WANTED_BYTES // max(size, 1)))
            state.keys.append(key)

    def _aliases(self, names: set[str]) -> None:
        found = self._source.get("/aliases")["aliases"]
        actions = [{"create_alias": alias} for alias in found if alias["collection_name"] in names]
        if actions:
            self._target.ask("POST", "/collections/aliases", {"actions": actions})

    def _count(self, client: Client, name: str) -> int:
        count: int = client.ask("POST", path_of(name, "/points/count"), {"exact": True})["count"]
        return count


def _keys_of(client: Client, name: str) -> list[Any]:
    found: list[dict[str, Any]] = client.get(path_of(name, "/shards")).get("shard_keys") or []
    return [described["key"] for described in found]

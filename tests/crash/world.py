"""Everybody who uses what is killed: writers, readers, one who changes the catalog; and what must be true for them."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.crash.catalog import CatalogWriter
from tests.crash.checks import Reading
from tests.crash.client_thread import CrashError, Habits
from tests.crash.model import Id, Layout, Owner, Point
from tests.crash.writers import Reader, Writer, send_until_known
from tests.support.http import Http

LAYOUTS = [Layout("one", {"": 16}, shards=1), Layout("two", {"a": 8, "b": 12}, shards=3)]
WRITERS = 4
FILL = 500
CONFLICT = 409
"""It was created, though it was not known at first."""
OPTIMIZERS = {
    "indexing_threshold": 1,
    "flush_interval_sec": 0,
    "vacuum_min_vector_number": 100,
    "deleted_threshold": 0.1,
}
"""Everything that works on segments does so all the time."""

Others = Mapping[str, Mapping[Id, Point]]
"""Collection -> the points in it that are not the writers'."""


@dataclass
class Round:
    """What happened in one round."""

    kind: str
    detail: str = ""
    acknowledged: int = 0
    searches: int = 0
    in_flight: int = 0
    took_effect: int = 0
    points: int = 0
    segments: int = 0
    graphs: int = 0
    start_seconds: float = 0.0


class World:
    """Threads that work against one port, on the collections ``LAYOUTS``; ``ids`` says how many points a writer has."""

    def __init__(self, seed: int, rng: random.Random, ids: Mapping[str, int], habits: Habits) -> None:
        self._seed = seed
        self._habits = habits
        self._rng = rng
        layouts = [LAYOUTS[number % len(LAYOUTS)] for number in range(WRITERS)]
        owners = [Owner.of(n, layout, seed, ids[layout.name]) for n, layout in enumerate(layouts)]
        self.writers = [Writer(owner, habits) for owner in owners]
        self.catalog = CatalogWriter(seed, habits)
        self.readers = [Reader(self._search_maker(layout), habits) for layout in LAYOUTS]
        self.versions: dict[str, dict[Id, int]] = {layout.name: {} for layout in LAYOUTS}
        self._before = (0, 0)
        self._settled = True

    def begin(self, port: int) -> None:
        """Create the collections and fill them."""
        with Http(port) as http:
            for layout in LAYOUTS:
                sizes = {name: {"size": size, "distance": "Dot"} for name, size in layout.sizes.items()}
                config = {"vectors": sizes.get("", sizes), "shard_number": layout.shards}
                body = json.dumps({**config, "optimizers_config": OPTIMIZERS}).encode()
                answer = send_until_known(http, "PUT", f"/collections/{layout.name}", body, self._habits)
                if answer.status not in (200, CONFLICT):
                    raise CrashError(f"creating {layout.name} answered {answer.status}: {answer.body!r}")
            for writer in self.writers:
                writer.fill(http, FILL)

    def _search_maker(self, layout: Layout) -> Callable[[], tuple[str, bytes]]:
        rng = random.Random(f"{self._seed}/{layout.name}")
        name = next(iter(layout.sizes))
        using = f', "using": "{name}"' if name else ""

        def make() -> tuple[str, bytes]:
            query = [rng.randint(-8, 8) for _ in range(layout.sizes[name])]
            return f"/collections/{layout.name}/points/query", f'{{"query": {query}, "limit": 20{using}}}'.encode()

        return make

    def _counts(self) -> tuple[int, int]:
        return sum(w.acknowledged for w in self.writers), sum(r.answered for r in self.readers)

    def start(self, port: int) -> None:
        """Let all threads work. Raises CrashError when an earlier round was never checked."""
        if not self._settled:
            raise CrashError("an earlier round failed")
        self._settled = False
        self._before = self._counts()
        for thread in (*self.writers, *self.readers, self.catalog):
            thread.start(port)

    def stop_writing(self) -> None:
        """Let those who write end after the request in flight."""
        for thread in (*self.writers, self.catalog):
            thread.stop()

    def stop(self) -> None:
        """Let all end after the request in flight."""
        self.stop_writing()
        for reader in self.readers:
            reader.stop()

    def join(self, kind: str) -> Round:
        """Wait for all threads; what they did. Raises CrashError for what went wrong in them."""
        for thread in (*self.writers, *self.readers, self.catalog):
            thread.join()
        acknowledged, searches = self._counts()
        return Round(
            kind,
            acknowledged=acknowledged - self._before[0],
            searches=searches - self._before[1],
            in_flight=sum(w.pending is not None for w in self.writers),
        )

    def check(self, port: int, done: Round, *, same_versions: bool = False, others: Others | None = None) -> None:
        """Settle the writers with what is there, and compare all ways of reading it. Raises CrashError."""
        with Http(port) as http:
            self.catalog.settle(http)
            for layout in LAYOUTS:
                strangers = (others or {}).get(layout.name, {})
                done.points += self._check_layout(http, layout, done, same_versions, strangers)
        self._settled = True

    def _check_layout(
        self, http: Http, layout: Layout, done: Round, same_versions: bool, others: Mapping[Id, Point]
    ) -> int:
        reading = Reading(http, layout, self._rng)
        owners = [w for w in self.writers if w.owner.layout is layout]
        ids = [point_id for writer in owners for point_id in writer.owner.ids]
        found = {point_id: reading.points[point_id] for point_id in reading.points.keys() - set(ids)}
        if found != others:
            raise CrashError(f"{layout.name}: {differences(found, others)}")
        done.took_effect += sum(writer.settle(reading.points) for writer in owners)
        self._check_versions(layout, reading.check([*ids, *others]), same_versions)
        return len(reading.points)

    def _check_versions(self, layout: Layout, seen: dict[Id, int], same: bool) -> None:
        """A version never goes back; nor does it change where nothing was written."""
        known = self.versions[layout.name]
        for point_id, version in seen.items():
            old = known.get(point_id, 0)
            if version < old or (same and version != old):
                raise CrashError(f"{layout.name}: version of {point_id} went from {old} to {version}")
        known.update(seen)


def differences(found: Mapping[Id, Point], expected: Mapping[Id, Point]) -> str:
    """The first few points that are not what they should be."""
    wrong = [i for i in {**found, **expected} if found.get(i) != expected.get(i)]
    shown = [f"{i} is {found.get(i, 'missing')}; expected {expected.get(i, 'nothing')}" for i in wrong[:3]]
    return f"{len(wrong)} points: " + "; ".join(shown)[:1500]

"""Rounds of writing, killing, restarting and checking, all on one data folder."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.crash import damage
from tests.crash.catalog import CatalogWriter
from tests.crash.checks import Reading
from tests.crash.model import Id, Layout, Owner
from tests.crash.writers import CrashError, Reader, Writer
from tests.support.http import Http
from tests.support.server import Server, headwater

LAYOUTS = [Layout("one", {"": 16}, shards=1), Layout("two", {"a": 8, "b": 12}, shards=3)]
IDS = {"one": 2000, "two": 600}
"""So many for each writer: enough of the first for graphs to be built while they write."""
WRITERS = 4
FILL = 500
QUIET_SECONDS = (2.5, 4.5)
"""Of a server that nobody writes to, about when it begins what it had put off."""
OPTIMIZERS = {
    "indexing_threshold": 1,
    "flush_interval_sec": 0,
    "vacuum_min_vector_number": 100,
    "deleted_threshold": 0.1,
}
"""Everything that works on segments does so all the time."""

Damage = Callable[[Path, random.Random], str]


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


class Harness:
    """A server, its writers, and what must be true of it."""

    def __init__(self, folder: Path, seed: int, partitions: int = 1) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.server = Server(folder / "data", ["--partitions", str(partitions)])
        layouts = [LAYOUTS[number % len(LAYOUTS)] for number in range(WRITERS)]
        self.writers = [Writer(Owner.of(n, layout, seed, IDS[layout.name])) for n, layout in enumerate(layouts)]
        self.catalog = CatalogWriter(seed)
        self.readers = [Reader(self._search_maker(layout)) for layout in LAYOUTS]
        self._settled = True
        self.versions: dict[str, dict[Id, int]] = {layout.name: {} for layout in LAYOUTS}

    def __enter__(self) -> "Harness":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()

    def begin(self) -> None:
        """Start the server, create the collections and fill them."""
        self.server.start()
        with Http(self.server.port) as http:
            for layout in LAYOUTS:
                sizes = {name: {"size": size, "distance": "Dot"} for name, size in layout.sizes.items()}
                config = {"vectors": sizes.get("", sizes), "shard_number": layout.shards}
                answer = http.put(f"/collections/{layout.name}", {**config, "optimizers_config": OPTIMIZERS})
                if answer.status != 200:
                    raise CrashError(f"creating {layout.name} answered {answer.status}: {answer.body!r}")
            for writer in self.writers:
                writer.fill(http, FILL)

    def _search_maker(self, layout: Layout) -> Callable[[], tuple[str, bytes]]:
        rng = random.Random(f"{self.seed}/{layout.name}")
        name = next(iter(layout.sizes))
        using = f', "using": "{name}"' if name else ""

        def make() -> tuple[str, bytes]:
            query = [rng.randint(-8, 8) for _ in range(layout.sizes[name])]
            return f"/collections/{layout.name}/points/query", f'{{"query": {query}, "limit": 20{using}}}'.encode()

        return make

    def write_for(self, seconds: float, end: Callable[[], object], kind: str) -> Round:
        """Let all threads work for a while, then end the server with ``end``."""
        if not self._settled:
            raise CrashError("an earlier round failed")
        self._settled = False
        threads = [*self.writers, *self.readers, self.catalog]
        before = sum(w.acknowledged for w in self.writers)
        searches = sum(r.answered for r in self.readers)
        for thread in threads:
            thread.start(self.server.port)
        try:
            time.sleep(seconds)
            end()
        finally:
            for thread in threads:
                thread.stop()
            if self.server.poll() is None:
                self.server.kill()
            for thread in threads:
                thread.join()
        return Round(
            kind,
            acknowledged=sum(w.acknowledged for w in self.writers) - before,
            searches=sum(r.answered for r in self.readers) - searches,
            in_flight=sum(w.pending is not None for w in self.writers),
        )

    def restart(self, done: Round) -> None:
        """Start the server again and hold everything in it against what must be there."""
        begun = time.monotonic()
        self.server.start()
        done.start_seconds = time.monotonic() - begun
        self.check(done)

    def check(self, done: Round, same_versions: bool = False) -> None:
        """Settle the writers with what is there, and compare all ways of reading it."""
        with Http(self.server.port) as http:
            self.catalog.settle(http)
            for layout in LAYOUTS:
                owners = [w for w in self.writers if w.owner.layout is layout]
                reading = Reading(http, layout, self.rng)
                ids = [point_id for writer in owners for point_id in writer.owner.ids]
                strangers = reading.points.keys() - set(ids)
                if strangers:
                    raise CrashError(f"{layout.name}: nobody wrote {sorted(map(str, strangers))[:5]}")
                done.took_effect += sum(writer.settle(reading.points) for writer in owners)
                self._check_versions(layout, reading.check(ids), same_versions)
                done.points += len(reading.points)
        self._settled = True
        done.segments = len({path.parent for path in damage.segment_files(self.server.data)})
        done.graphs = len(damage.graph_files(self.server.data))

    def _check_versions(self, layout: Layout, seen: dict[Id, int], same: bool) -> None:
        """A version never goes back; nor does it change where nothing was written."""
        known = self.versions[layout.name]
        for point_id, version in seen.items():
            old = known.get(point_id, 0)
            if version < old or (same and version != old):
                raise CrashError(f"{layout.name}: version of {point_id} went from {old} to {version}")
        known.update(seen)

    def kill_round(self, seconds: float) -> Round:
        """Kill while writing."""
        done = self.write_for(seconds, self.server.kill, "killed while writing")
        self.restart(done)
        return done

    def kill_idle_round(self, seconds: float) -> Round:
        """Kill a while after the writing, when segments are merged and graphs are built."""

        def end() -> None:
            for thread in (*self.writers, self.catalog):
                thread.stop()
            time.sleep(self.rng.uniform(*QUIET_SECONDS))
            self.server.kill()

        done = self.write_for(seconds, end, "killed while at work on segments")
        self.restart(done)
        return done

    def kill_recovery_round(self, seconds: float) -> Round:
        """Kill while writing, and again while the next start recovers."""
        done = self.write_for(seconds, self.server.kill, "killed while writing and while recovering")
        for _ in range(self.rng.randint(1, 3)):
            self.server.launch()
            time.sleep(self.rng.uniform(0.05, 1.0))
            self.server.kill()
        self.restart(done)
        return done

    def stop_round(self, seconds: float) -> Round:
        """Stop as one should, while writing; then fold the log afresh and compare."""
        codes: list[int] = []
        done = self.write_for(seconds, lambda: codes.append(self.server.stop()), "stopped while writing, verified")
        if codes != [0]:
            raise CrashError(f"SIGTERM ended with exit code {codes}\n{self.server.last_output()}")
        self._verify()
        self.restart(done)
        return done

    def _verify(self) -> None:
        verdict = headwater("verify", "--data", str(self.server.data))
        if verdict.returncode != 0 or "digests are equal" not in verdict.stdout:
            raise CrashError(f"verify ended with {verdict.returncode}: {verdict.stdout}{verdict.stderr}")

    def damage_round(self, seconds: float, harm: Damage) -> Round:
        """Kill while writing, damage what can be rebuilt, and find everything back, versions included."""
        done = self.write_for(seconds, self.server.kill, f"killed, then {harm.__name__.replace('_', ' ')}")
        before = Round("before the damage")
        self.restart(before)
        done.took_effect = before.took_effect
        self.server.kill()
        done.detail = harm(self.server.data, self.rng)
        begun = time.monotonic()
        self.server.start()
        done.start_seconds = time.monotonic() - begun
        self.check(done, same_versions=True)
        return done

    def torn_log_round(self, seconds: float) -> Round:
        """Lose the end of the log under a state that has seen it: the server must refuse. Ends the harness."""
        done = self.write_for(seconds, self.server.stop, "stopped, then the log torn")
        done.detail = damage.tear_log(self.server.data, self.rng)
        self.server.launch()
        code = self.server.wait_end()
        said = self.server.last_output(1500)
        if code == 0 or "log" not in said or "Traceback" in said:
            raise CrashError(f"on a log that lost its end the server ended with exit code {code}, saying: {said}")
        return done

"""A thread that creates, drops and renames: each name is owned by it alone."""

import http.client
import random
from dataclasses import dataclass
from functools import partial

from tests.crash.client_thread import ClientThread, CrashError, Habits
from tests.crash.writers import UNKNOWN_STATUSES
from tests.support.http import Answer, Http

NAMES = ["moving-a", "moving-b", "moving-c"]
ALIAS = "moving"


@dataclass(frozen=True)
class Catalog:
    """Which of the names are there, each with the mark of its latest creation, and where the alias points."""

    made: dict[str, int]
    alias: str | None

    def with_made(self, name: str, mark: int) -> "Catalog":
        """After a create."""
        return Catalog({**self.made, name: mark}, self.alias)

    def without(self, name: str) -> "Catalog":
        """After a delete; an alias of it goes with it."""
        made = {other: mark for other, mark in self.made.items() if other != name}
        return Catalog(made, None if self.alias == name else self.alias)


class CatalogWriter(ClientThread):
    """Creates and deletes collections and moves an alias between them."""

    def __init__(self, seed: int, habits: Habits) -> None:
        super().__init__("catalog")
        self._habits = habits
        self._rng = random.Random(f"{seed}/catalog")
        self.known = Catalog({}, None)
        self.pending: Catalog | None = None
        self.acknowledged = 0
        self._mark = 0

    def start(self, port: int) -> None:
        """Begin."""
        self.begin(partial(self._run, port))

    def _run(self, port: int) -> None:
        with Http(port) as connection:
            for _ in range(self._habits.most):
                if self._stop.wait(self._rng.random() * 0.02):
                    return
                try:
                    answer = self._step(connection)
                except (OSError, http.client.HTTPException):
                    return
                if self._habits.outages and answer.status in UNKNOWN_STATUSES:
                    return
                if answer.status != 200 or answer.json()["result"] is not True:
                    self.failure = f"answered {answer.status}: {answer.body[:500]!r}; expected {self.pending}"
                    return
                if self.pending is not None:
                    self.known, self.pending = self.pending, None
                self.acknowledged += 1

    def _step(self, connection: Http) -> Answer:
        name = self._rng.choice(NAMES)
        if name not in self.known.made:
            self._mark += 1
            self.pending = self.known.with_made(name, self._mark)
            config = {"vectors": {"size": 2, "distance": "Dot"}, "metadata": {"mark": self._mark}}
            return connection.put(f"/collections/{name}", config)
        if self._rng.random() < 0.5:
            self.pending = self.known.without(name)
            return connection.delete(f"/collections/{name}")
        self.pending = Catalog(self.known.made, name)
        create = {"create_alias": {"collection_name": name, "alias_name": ALIAS}}
        drop = [{"delete_alias": {"alias_name": ALIAS}}] if self.known.alias else []
        return connection.post("/collections/aliases", {"actions": [*drop, create]})

    def settle(self, connection: Http) -> None:
        """Hold what is there against what must be. Raises CrashError when it is neither before nor after."""
        seen = observe(connection)
        if seen not in (self.known, self.pending):
            after = f", or {self.pending}" if self.pending else ""
            raise CrashError(f"catalog: {seen}; expected {self.known}{after}")
        self.known, self.pending = seen, None


def observe(connection: Http) -> Catalog:
    """The catalog as it is; every collection in it must answer. Raises CrashError when one does not."""
    listed = {found["name"] for found in connection.get("/collections").result["collections"]}
    made: dict[str, int] = {}
    for name in NAMES:
        answer = connection.get(f"/collections/{name}")
        if (answer.status == 200) != (name in listed):
            raise CrashError(
                f"catalog: {name} is {'' if name in listed else 'not '}listed, yet answers {answer.status}"
            )
        if answer.status == 200:
            made[name] = answer.result["config"]["metadata"]["mark"]
            if connection.post(f"/collections/{name}/points/count", {}).status != 200:
                raise CrashError(f"catalog: {name} does not answer a count")
    aliases = {found["alias_name"]: found["collection_name"] for found in connection.get("/aliases").result["aliases"]}
    return Catalog(made, aliases.get(ALIAS))

"""Rounds of damage to copies of one data folder. A process of its own: damage may end it.

``python -m tests.damage.rounds FOLDER make`` makes the data folder, ``... play KIND SEED ROUNDS`` damages copies of it,
those of odd seeds while a node runs, telling each round before it begins; ends with exit code 1, and a traceback, at
the first that goes wrong.
"""

import asyncio
import gc
import os
import pickle
import random
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from compose.errors import expected_errors, first_error
from tests.damage.contents import COLLECTIONS, Contents, change, create, fill, read_all
from tests.damage.files import EMBEDDED_KINDS, MAPPED, ONLY_COPY, cut_room, files_of
from tests.damage.harm import HARMS, cut
from tests.damage.node import open_node

REVISIONS = 3
REMEDIES = ("from a copy", "move the state folder away")
"""One of them must be named by a refusal."""


async def make(folder: Path) -> None:
    """A data folder as a killed server leaves it, ``data``, and what has to be found in it, ``expected``."""
    data = folder / "data"
    for revision in range(1, REVISIONS):
        async with open_node(data) as node:
            if revision == 1:
                await create(node)
            await node.caught_up()
            await fill(node, revision)
            await node.settled()
    async with open_node(data) as node:
        await node.caught_up()
        await fill(node, REVISIONS)
        await _copied(data, folder / "killed")
    shutil.rmtree(data)
    (folder / "killed").rename(data)
    shutil.copytree(data, folder / "copy")
    async with open_node(folder / "copy") as node:
        await node.caught_up()
        before = await read_all(node)
        for name in COLLECTIONS:
            await change(node, name)
        after = await read_all(node)
    (folder / "expected").write_bytes(pickle.dumps((before, after)))
    shutil.rmtree(folder / "copy")


async def _copied(data: Path, target: Path) -> None:
    """Copy a folder in use, once there are files of all kinds: between two generations a segment may have no graph."""
    while not _has_all(target):
        shutil.rmtree(target, ignore_errors=True)
        await asyncio.sleep(0.01)
        if _has_all(data):
            with suppress(shutil.Error):  # a builder's thread renamed a file meanwhile
                shutil.copytree(data, target)


def _has_all(data: Path) -> bool:
    return all(files_of(data, kind) for kind in EMBEDDED_KINDS)


@dataclass
class Play:
    """A copy of the data folder, and what has to be in it before and after everything was changed."""

    folder: Path
    kind: str
    rng: random.Random

    def __post_init__(self) -> None:
        self.data = self.folder / f"play-{os.getpid()}"
        self.before, self.after = pickle.loads((self.folder / "expected").read_bytes())
        self.damaged = self.data
        """The file."""
        self.changes = 0
        """So many collections were changed, or may have been."""

    def round(self, *, running: bool) -> str:
        """Damage a file and hold what comes of it against what has to; what that was."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.folder / "data", self.data)
        self.changes = 0
        if not running:
            self._harm()
        try:
            asyncio.run(self._use(self._harm if running else None))
            asyncio.run(self._hold(self.after))
        except BaseException as error:
            refusal = self._refusal(error)
        else:
            return "right"
        gc.collect()  # what was raised may hold an iterator, and that the database
        if not (running and self.kind in ONLY_COPY):
            self._remedy()
            asyncio.run(self._use())
        return f"refused: {refusal}"

    async def _some_file(self) -> None:
        """Wait until there is a file to damage: between two generations of a segment it may have no graph."""
        while not files_of(self.data, self.kind):
            await asyncio.sleep(0.01)

    def _harm(self) -> None:
        self.damaged = self.rng.choice(files_of(self.data, self.kind))
        if self.kind == "log" and self.rng.random() < 0.8:
            cut_room(self.damaged)  # it would take most of the harm
        # A file that is cut under its mapping ends the process.
        harms = [one for one in HARMS if one is not cut or self.kind not in MAPPED]
        did = self.rng.choice(harms)(self.damaged, self.rng)
        print(f"{self.damaged.relative_to(self.data)}: {did}", flush=True)

    def _refusal(self, error: BaseException) -> str:
        """What a refusal says. Raises anything else."""
        first = first_error(error)
        if not isinstance(first, expected_errors()):
            raise error
        text = str(first)
        assert str(self.data) in text, f"it isn't said where: {text}"
        assert any(word in text for word in REMEDIES), f"it isn't said what to do: {text}"
        return text.replace(str(self.data), "")

    def _remedy(self) -> None:
        if self.kind in ONLY_COPY:
            shutil.copyfile(self.folder / "data" / self.damaged.relative_to(self.data), self.damaged)
        else:
            shutil.rmtree(self.data / "state")

    async def _use(self, harm: Callable[[], None] | None = None) -> None:
        """Read everything, change everything, read everything; and do harm between two changes."""
        async with open_node(self.data) as node:
            await node.caught_up()
            repeated = self.changes > 0
            if not repeated:
                _compare(await read_all(node), self.before)
            for name in COLLECTIONS:
                self.changes += 1
                await change(node, name)
                if harm is not None and self.changes == 1:
                    await self._some_file()
                    harm()
            await node.caught_up()
            _compare(await read_all(node), self.after, versions=not repeated)

    async def _hold(self, expected: Contents) -> None:
        async with open_node(self.data) as node:
            await node.caught_up()
            _compare(await read_all(node), expected)


def _compare(found: Contents, expected: Contents, *, versions: bool = True) -> None:
    for name, there in expected.items():
        for what, values in there.items():
            if what == "versions" and not versions:
                continue
            mine = found[name][what]
            wrong = [k for k in {**values, **mine} if mine.get(k) != values.get(k)] if mine != values else []
            assert not wrong, f"{name}: {what} of {wrong[:3]}, {len(wrong)} in all: {mine.get(wrong[0])}"


def main(folder: Path, what: str, *rest: str) -> None:
    """See above."""
    if what == "make":
        asyncio.run(make(folder))
        return
    kind, seed, rounds = rest
    for number in range(int(seed), int(seed) + int(rounds)):
        running = number % 2 == 1
        print(f"{kind}, {'while running' if running else 'at rest'}, seed {number}: ", end="", flush=True)
        outcome = Play(folder, kind, random.Random(number)).round(running=running)
        print(f"  {' '.join(outcome.split())}", flush=True)
    shutil.rmtree(Play(folder, kind, random.Random()).data, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

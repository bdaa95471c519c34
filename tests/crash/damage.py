"""Harm done to a data folder while no server runs. Each function says what it did."""

import os
import random
import shutil
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from projector.segments.build import UNFINISHED
from projector.state.errors import StateDamagedError
from projector.state.kv import KeyValue
from tests.damage.files import STATE_KINDS, files_of, written_size
from tests.damage.harm import HARMS

SMALLEST = 64
ONE_RECORD = 1000
"""The log's files are longer than this as soon as points are in them."""


def remove_state(data: Path, rng: random.Random) -> str:
    """Lose all state and segments; the log is what remains."""
    del rng
    shutil.rmtree(data / "state")
    return "the state folder removed"


def truncate_segment_file(data: Path, rng: random.Random) -> str:
    """Cut a file of a segment at a random length."""
    path = _segment_file(data, rng)
    size = path.stat().st_size
    kept = rng.randrange(size)
    with path.open("rb+") as file:
        file.truncate(kept)
    return f"{path.relative_to(data)} cut from {size} to {kept} bytes"


def remove_segment_file(data: Path, rng: random.Random) -> str:
    """Remove a file of a segment."""
    path = _segment_file(data, rng)
    path.unlink()
    return f"{path.relative_to(data)} removed"


def remove_segments(data: Path, rng: random.Random) -> str:
    """Remove all segments and manifests; the state remains."""
    del rng
    for folder in data.glob("state/points-*/shards"):
        shutil.rmtree(folder)
    return "all segments removed"


def append_garbage_to_log(data: Path, rng: random.Random) -> str:
    """Leave what an append that was cut short leaves: bytes after the last record."""
    path = _live_log_file(data, rng)
    garbage = rng.randbytes(rng.randint(1, 5000))
    with path.open("ab") as file:
        file.write(garbage)
    return f"{len(garbage)} bytes after the end of {path.relative_to(data)}"


def tear_log(data: Path, rng: random.Random) -> str:
    """Lose the last bytes of the log: an acknowledged record that the state has seen."""
    path = _live_log_file(data, rng)
    lost = rng.randint(1, 40)
    with path.open("rb+") as file:
        file.truncate(written_size(path) - lost)
    return f"the last {lost} bytes of {path.relative_to(data)} lost"


def harm_derived(data: Path, rng: random.Random) -> str:
    """Harm a file that is made of the state at random: of a segment, or a manifest of segments."""
    return _harm_one_of(data, ("segments", "graphs", "manifests of segments"), rng)


def harm_feed(data: Path, rng: random.Random) -> str:
    """Harm a file of a feed at random, while no projector runs."""
    return _harm_one_of(data, ("feeds",), rng)


def harm_state(data: Path, rng: random.Random) -> str:
    """Harm a file of a state itself at random."""
    return _harm_one_of(data, STATE_KINDS, rng)


def _harm_one_of(data: Path, kinds: Sequence[str], rng: random.Random) -> str:
    path = rng.choice([path for kind in kinds for path in files_of(data, kind)])
    return f"{path.relative_to(data)}: {rng.choice(HARMS)(path, rng)}"


def refuses_to_be_read(data: Path) -> bool:
    """Whether something in the states says that it is damaged, once all is read. For when no server runs."""
    try:
        for folder in (data / "state" / "catalog", *sorted(data.glob("state/points-*/rocksdb"))):
            with KeyValue.open(folder, read_only=True) as kv:
                deque(kv.scan(b""), maxlen=0)
    except StateDamagedError:
        return True
    return False


HARMLESS = [
    remove_state,
    truncate_segment_file,
    remove_segment_file,
    remove_segments,
    append_garbage_to_log,
    harm_derived,
]
"""After each of these the server must come back with everything, by itself."""


def segment_files(data: Path) -> list[Path]:
    """All files of all segments, in a fixed order; a running server may remove some meanwhile."""
    found = (Path(folder, name) for folder, _, names in os.walk(data / "state") for name in names)
    return sorted(path for path in found if "shards" in path.parts and _size(path) >= SMALLEST)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def graph_files(data: Path) -> list[Path]:
    """All graphs of all segments."""
    return [path for path in segment_files(data) if path.suffix == ".links"]


def graphs_are_built(data: Path) -> bool:
    """Whether a build is under way now, or a graph is there already."""
    return bool(graph_files(data)) or any(data.glob(f"state/points-*/shards/*/*{UNFINISHED}"))


def _segment_file(data: Path, rng: random.Random) -> Path:
    files = segment_files(data)
    if not files:
        raise AssertionError(f"there are no segments in {data} to damage")
    return rng.choice(files)


def _live_log_file(data: Path, rng: random.Random) -> Path:
    """The file that some partition with records is appended to."""
    newest = (max(folder.glob("*.log")) for folder in sorted((data / "log").glob("points-*")))
    return rng.choice([path for path in newest if written_size(path) > ONE_RECORD])

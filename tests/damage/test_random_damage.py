"""A few rounds for each kind of file. ``python -m tests.damage.long`` plays many."""

from functools import partial
from pathlib import Path

import pytest

from tests.damage.files import EMBEDDED_KINDS
from tests.damage.rounds import main
from tests.support.launching import fork
from tests.support.seeds import BASE_SEED, seed_note

ROUNDS = 4
SECONDS = 300.0


def _run(folder: Path, *arguments: str) -> str:
    output = folder / "output"
    running = fork(partial(main, folder, *arguments), {}, output, output)
    try:
        code = running.wait(SECONDS)
    finally:
        running.kill()
    said = "\n".join(line for line in output.read_text().splitlines() if "[info" not in line)
    output.unlink()
    assert code == 0, f"{seed_note()} ended with {code}: {said[-6000:]}"
    return said


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("damage")
    _run(made, "make")
    return made


@pytest.mark.parametrize("kind", EMBEDDED_KINDS)
def test_what_is_damaged_is_right_refused_or_made_again(folder: Path, kind: str) -> None:
    print(_run(folder, "play", kind, str(BASE_SEED), str(ROUNDS)))

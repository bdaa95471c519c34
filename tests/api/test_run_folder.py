"""The folder of a supervisor: its own as long as it runs, gone afterwards, also when it was killed."""

import fcntl
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from compose.api import run_folder as module
from compose.api.run_folder import run_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_each_supervisor_has_its_own(temporary: Path) -> None:
    with run_folder() as one, run_folder() as other:
        assert one != other
        assert one.is_dir()
    assert not list(temporary.iterdir())


def test_what_a_killed_one_left_behind_is_removed(temporary: Path) -> None:
    left = temporary / "headwater-api-left"
    left.mkdir()
    (left / "LOCK").touch()
    with run_folder() as folder:
        assert list(temporary.iterdir()) == [folder]


def _between_open_and_lock(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Once, when a supervisor has made its folder and doesn't have the lock yet."""
    flock = fcntl.flock
    waiting = [happens]

    def locking(descriptor: int, how: int) -> None:
        if waiting and how == fcntl.LOCK_EX:
            waiting.pop()()
        flock(descriptor, how)

    monkeypatch.setattr(module.fcntl, "flock", locking)


def test_one_that_is_taken_for_left_behind_is_made_anew(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def another() -> None:
        with run_folder() as folder:
            assert list(temporary.iterdir()) == [folder]

    _between_open_and_lock(monkeypatch, another)
    with run_folder() as folder:
        assert [path.name for path in folder.iterdir()] == ["LOCK"]
    assert not list(temporary.iterdir())

"""Where programs in other languages are built: in the user's cache folder, so that it takes minutes only once."""

import fcntl
import hashlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.clients.programs import Command, Program

FETCH_SECONDS = 300.0
BUILD_SECONDS = 1500.0
RUN_SECONDS = 300.0
_CLIP = 3000


class FetchError(Exception):
    """The registry did not give the dependencies, or not in time."""


class BuildError(AssertionError):
    """A command failed; the message ends with the last it wrote."""


@contextmanager
def built(program: Program) -> Generator[Path]:
    """A folder with the program, that nobody else builds in. Raises FetchError, BuildError."""
    folder = _folder(program)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "building.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _copy(program.sources, folder)
        _fetch(program, folder)
        for command in program.build(folder):
            run(command, folder, BUILD_SECONDS)
        yield folder


def run(command: Command, folder: Path, seconds: float) -> str:
    """Run a command to its end; what it wrote to standard output. Raises BuildError."""
    shown = " ".join(command)[:200]
    with tempfile.TemporaryFile("w+") as errors:
        # Build tools start others, which would live on and hold the output.
        running = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
        try:
            written, _ = running.communicate(timeout=seconds)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise BuildError(f"{shown} took more than {seconds:.0f} s") from None
            raise
        errors.seek(0)
        said = (written + errors.read())[-_CLIP:]
    if running.returncode:
        raise BuildError(f"{shown} ended with {running.returncode}\n{said}")
    return written


def _folder(program: Program) -> Path:
    """One for each content of the files that pin versions."""
    pinned = hashlib.sha256()
    for name in program.pins:
        pinned.update((program.sources / name).read_bytes())
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "headwater" / "clients" / f"{program.language}-{pinned.hexdigest()[:16]}"


def _copy(sources: Path, folder: Path) -> None:
    """Bring the sources, and touch only what changed, as build tools go by times."""
    found = {path.relative_to(sources): path.read_bytes() for path in sources.rglob("*") if path.is_file()}
    for path in folder.glob("src/**/*"):
        if path.is_file() and path.relative_to(folder) not in found:
            path.unlink()
    for name, content in found.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _fetch(program: Program, folder: Path) -> None:
    fetched = folder / "fetched"
    if fetched.exists():
        return
    for command in program.fetch(folder):
        try:
            run(command, folder, FETCH_SECONDS)
        except BuildError as error:
            raise FetchError(str(error)) from error
    fetched.touch()

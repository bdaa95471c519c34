"""How tests start the command line, or make a call of their own in a process that it may end.

Either is forked from a process that has all modules loaded, and so are the workers and builders that it starts; or the
command line is started in a new interpreter, and they as well.
"""

import atexit
import multiprocessing
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from multiprocessing.context import ForkServerProcess, SpawnProcess
from pathlib import Path
from typing import Any, Protocol

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND
ROOT = Path(__file__).parents[2]


class Running(Protocol):
    """A process that was started; what ``subprocess.Popen`` says of one."""

    @property
    def pid(self) -> int:
        """Its id."""
        ...

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; its exit code. Raises subprocess.TimeoutExpired."""
        ...

    def kill(self) -> None:
        """kill -9."""
        ...


Launch = Callable[[Sequence[str], Mapping[str, str], Path, Path], Running]
"""Starts ``headwater ARGUMENTS`` in a session of its own, in ROOT and this process's environment with what is given
added to it; what it writes goes to the ends of two files, which may be one."""


def new_interpreter(arguments: Sequence[str], environment: Mapping[str, str], output: Path, errors: Path) -> Running:
    """As a user starts it: takes a third of a second of CPU until everything is imported."""
    with output.open("ab") as written, errors.open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "compose.cli", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=said,
            start_new_session=True,
        )


def forked(arguments: Sequence[str], environment: Mapping[str, str], output: Path, errors: Path) -> Running:
    """From a process that has imported everything: takes a tenth of that."""
    return fork(partial(_headwater, arguments, _fork_server()), environment, output, errors)


def fork(call: Callable[[], object], environment: Mapping[str, str], output: Path, errors: Path) -> Running:
    """A process that makes a call, which can be pickled, as ``Launch`` says; an exception is its exit code 1."""
    output.touch()
    errors.touch()
    given = (call, {**os.environ, **environment}, output, errors)
    return _Forked(_start(_run, given))


def _start(call: Callable[..., object], given: tuple[Any, ...]) -> ForkServerProcess | SpawnProcess:
    process: ForkServerProcess | SpawnProcess
    if _FORKS:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([_PRELOADED])
        process = context.Process(target=call, args=given, daemon=True)
    else:
        process = multiprocessing.get_context("spawn").Process(target=call, args=given, daemon=True)
    process.start()
    return process


@cache
def _fork_server() -> str:
    """The address of this process's fork server, which is started when first asked for."""
    from tests.support.fork_server import listen, serve

    address = f"headwater-{uuid.uuid4().hex}"
    with listen(address) as listener:
        _start(serve, (listener,))
    return address


_FORKS = sys.platform == "linux"
"""Elsewhere, system libraries don't bear to be forked."""
launch: Launch = forked if _FORKS else new_interpreter
"""The quickest that is safe here."""

_PRELOADED = "tests.support.preloaded"


class _Forked:
    def __init__(self, process: ForkServerProcess | SpawnProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        pid = self._process.pid
        if pid is None:
            raise AssertionError("it was started")
        return pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("headwater", timeout or 0)
        return code

    def kill(self) -> None:
        self._process.kill()


def _run(call: Callable[[], object], environment: Mapping[str, str], output: Path, errors: Path) -> None:
    os.setsid()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    for standard, path, flags in ((0, os.devnull, os.O_RDONLY), (1, output, _APPEND), (2, errors, _APPEND)):
        descriptor = os.open(path, flags, 0o644)
        os.dup2(descriptor, standard)
        os.close(descriptor)
    try:
        call()
    finally:
        # multiprocessing leaves them out.
        atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]


def _headwater(arguments: Sequence[str], fork_server: str) -> None:
    from compose.cli import main
    from tests.support.fork_server import name_this_process
    from tests.support.forked_workers import fork_workers

    name_this_process()
    fork_workers(fork_server)
    sys.argv = ["headwater", *map(str, arguments)]  # as a process of its own gets them: an enum is none there
    main()

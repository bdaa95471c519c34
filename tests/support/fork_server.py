"""A server that forks processes for other processes, from one that has everything imported (Linux).

``multiprocessing`` has one for the children of the process that started it; this one is for whoever knows its address,
as servers under test have to start workers and builders.
"""

import atexit
import ctypes
import os
import pickle
import resource
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import current_process, get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess

from prometheus_client import REGISTRY, values
from prometheus_client.metrics import MetricWrapperBase

from compose.metrics_folder import FOLDER_VARIABLE
from tests.support.processes import MARK, NAME_LENGTH

_MOST_BYTES = 1 << 17
_MOST_DESCRIPTORS = 16
_ABOVE = 500
"""Descriptors that are put aside are at least this."""
_LIMITS = (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_AS)
_PR_SET_NAME = 15
PARENT = "PARENT"
"""An argument that stands for the id of the parent, which is the fork server."""


@dataclass(frozen=True)
class Order:
    """``python -m module arguments`` to be run, as ``subprocess`` would run it; ``descriptors`` are the numbers that
    those have there which come with the order.
    """

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    new_session: bool
    descriptors: Sequence[int]
    limits: Sequence[tuple[int, int]]


def order(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], new_session: bool, descriptors: Sequence[int]
) -> Order:
    """An order from this process: its folder and its limits are handed on."""
    limits = [resource.getrlimit(limit) for limit in _LIMITS]
    return Order(module, arguments, environment, os.getcwd(), new_session, descriptors, limits)


def listen(address: str) -> socket.socket:
    """A socket for ``serve``, in the abstract namespace."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"\0{address}")
    listener.listen(128)
    return listener


def request(address: str, what: Order, descriptors: Sequence[int]) -> socket.socket:
    """Send an order. What is returned receives the id of the process, and its exit code once it has ended, each as a
    packet of digits. Raises OSError.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(f"\0{address}")
        socket.send_fds(connection, [pickle.dumps(what)], descriptors)
    except BaseException:
        connection.close()
        raise
    return connection


def serve(listener: socket.socket) -> None:
    """Fork what is ordered, until the process that started this one ends."""
    current_process().daemon = False  # daemons may not have children
    starter = parent_process()
    if starter is None:
        raise AssertionError("it is started by another process")
    running: dict[int, tuple[ForkProcess, socket.socket]] = {}
    while True:
        for ready in wait([listener, starter.sentinel, *running]):
            if ready is listener:
                _accept(listener, running)
            elif ready == starter.sentinel:
                return
            elif isinstance(ready, int):
                process, connection = running.pop(ready)
                process.join()
                _tell(connection, process.exitcode)
                process.close()
                connection.close()


def _accept(listener: socket.socket, running: dict[int, tuple[ForkProcess, socket.socket]]) -> None:
    connection, _ = listener.accept()
    data, descriptors, _, _ = socket.recv_fds(connection, _MOST_BYTES, _MOST_DESCRIPTORS)
    if not data:  # it was killed meanwhile
        connection.close()
        return
    process = get_context("fork").Process(target=_run, args=(pickle.loads(data), descriptors), daemon=True)
    process.start()
    for descriptor in descriptors:
        os.close(descriptor)
    _tell(connection, process.pid)
    running[process.sentinel] = process, connection


def _tell(connection: socket.socket, number: int | None) -> None:
    try:
        connection.send(b"%d" % (number or 0))
    except (BrokenPipeError, ConnectionResetError):
        return  # who asked has ended


def _run(what: Order, descriptors: Sequence[int]) -> None:
    if what.new_session:
        os.setsid()
    os.chdir(what.folder)
    _place(descriptors, what.descriptors)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(what.environment)
    name_this_process()
    for limit, values_of_limit in zip(_LIMITS, what.limits, strict=True):
        resource.setrlimit(limit, values_of_limit)
    if FOLDER_VARIABLE in os.environ:
        _measure_for_all()
    sys.argv = [what.module, *(str(os.getppid()) if one == PARENT else one for one in what.arguments)]
    try:
        import_module(what.module).main()
    finally:
        # multiprocessing leaves them out.
        atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]


def _place(descriptors: Sequence[int], numbers: Sequence[int]) -> None:
    aside = [os.dup2(descriptor, _ABOVE + place) for place, descriptor in enumerate(descriptors)]
    for descriptor, number in zip(aside, numbers, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)


def name_this_process() -> None:
    """Show the mark that the environment has, which the system doesn't tell of a process that was forked."""
    mark = os.environ.get(MARK, "")[:NAME_LENGTH]
    if mark:
        ctypes.CDLL(None).prctl(_PR_SET_NAME, mark.encode())


def _measure_for_all() -> None:
    """Keep what is measured in the folder that workers share, as if that had been known when metrics were made."""
    values.ValueClass = values.MultiProcessValue()  # pyright: ignore[reportUnknownMemberType]
    for metric in set(REGISTRY._collector_to_names):  # pyright: ignore[reportPrivateUsage]
        if isinstance(metric, MetricWrapperBase):
            for each in (metric, *getattr(metric, "_metrics", {}).values()):
                if each._is_observable():  # pyright: ignore[reportPrivateUsage]
                    each._metric_init()  # pyright: ignore[reportPrivateUsage]

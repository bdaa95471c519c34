"""WorkerSpec: what the supervisor of an api tells a worker, through its standard input."""

import pickle
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from compose.settings import Settings

REFUSED = 78
"""The exit code of a worker that would fail again; what a user can do is in the refusal file."""
STACK_SIGNAL = signal.SIGUSR1
"""Has a worker write the stacks of its threads to its standard error."""
_LENGTH_BYTES = 8


@dataclass(frozen=True)
class WorkerSpec:
    """``worker``: its row in the visibility table; ``listener``: the descriptor of the socket it inherits.

    ``log``: that of its connection to the process that has the embedded log; None: the log is in Kafka.

    ``refusal``: where the worker says why it will not start, when starting it again would not help.
    """

    settings: Settings
    worker: int
    listener: int
    table: Path
    refusal: Path
    log: int | None = None

    def encode(self) -> bytes:
        """The bytes for ``read``."""
        # Pickled, since settings written as JSON have no passwords in them.
        data = pickle.dumps(self)
        return len(data).to_bytes(_LENGTH_BYTES, "big") + data

    @staticmethod
    def read(file: BinaryIO) -> "WorkerSpec":
        """What ``encode`` gave; the file may go on. Raises EOFError."""
        size = int.from_bytes(_exactly(file, _LENGTH_BYTES), "big")
        spec = pickle.loads(_exactly(file, size))
        if not isinstance(spec, WorkerSpec):
            raise TypeError(f"{type(spec).__name__} is not what a worker is told")
        return spec


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return data

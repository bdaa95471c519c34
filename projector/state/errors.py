"""What can be wrong with a state's files."""

REMEDY = (
    "If that can't be mended, restore a snapshot (headwater snapshot restore), or move the state folder away to "
    "rebuild the state from the log."
)
"""What to do about files that can't be read."""


class StateLockedError(Exception):
    """Another process has this state open; its LOCK is the fence."""


class StateDamagedError(Exception):
    """RocksDB refuses its files. The message names them, and what can be done."""


class StateUnwritableError(OSError):
    """The disk doesn't take what is to be written: it is full, read-only or failing. See ``recover``."""

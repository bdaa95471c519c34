"""Waiting for what becomes true in the end."""

import time
from collections.abc import Callable

TIMEOUT_SECONDS = 120.0
"""Generous: it ends a test that hangs, and says nothing about speed."""


def eventually(condition: Callable[[], bool]) -> None:
    """Return as soon as ``condition`` holds. Raises TimeoutError when it never does."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it never became true")
        time.sleep(0.01)

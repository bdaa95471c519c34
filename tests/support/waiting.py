"""Waiting for what becomes true in the end."""

import time
from collections.abc import Callable

TIMEOUT_SECONDS = 120.0
"""Generous: it ends a test that hangs, and says nothing about speed."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1
_SHARE = 0.1
"""Of the time waited so far: to ask often costs those who are waited for as much as what they do."""


def pause_after(waited: float) -> float:
    """How long to wait before asking again, after so many seconds; a tenth of it, where that is neither 0 nor long."""
    return min(max(_FIRST_PAUSE, _SHARE * waited), _LONGEST_PAUSE)


def eventually(condition: Callable[[], bool]) -> None:
    """Return as soon as ``condition`` holds. Raises TimeoutError when it never does."""
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        if waited > TIMEOUT_SECONDS:
            raise TimeoutError("it never became true")
        time.sleep(pause_after(waited))

"""Tests of the stall meter."""

import asyncio
import gc
import time
import weakref
from collections.abc import Callable

import pytest
import uvloop
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from compose.stall_meter import WINDOW_SECONDS, WINDOWS, Recent, StallMeter


def _stalls() -> float:
    return REGISTRY.get_sample_value("headwater_loop_stalls_total") or 0.0


def _hold_the_loop(seconds: float) -> None:
    time.sleep(seconds)


async def _hold_and_wait() -> None:
    before = _stalls()
    async with StallMeter(warn_seconds=0.0):
        await asyncio.sleep(0.05)
        _hold_the_loop(0.4)
        while _stalls() == before:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_held_loop_is_told_with_what_held_it(run: type) -> None:
    with capture_logs() as lines:
        run(_hold_and_wait())  # pyright: ignore[reportCallIssue]
    told = max((line for line in lines if "held up" in line["event"]), key=lambda line: line["seconds"])
    assert told["log_level"] == "warning"
    assert told["stack"].startswith("compose/test_stall_meter.py:")
    assert "_hold_the_loop < compose/test_stall_meter.py" in told["stack"]
    assert (REGISTRY.get_sample_value("headwater_loop_stall_seconds") or 0.0) >= told["seconds"] - 0.001


class _Large:
    """Something that a function knows."""


def _hold_with(large: _Large) -> "weakref.ref[_Large]":
    _hold_the_loop(0.1)
    return weakref.ref(large)


async def _hold_until(told: Callable[[], bool]) -> list["weakref.ref[_Large]"]:
    known: list[weakref.ref[_Large]] = []
    async with StallMeter(warn_seconds=0.0):
        while not told():
            known.append(_hold_with(_Large()))
            await asyncio.sleep(0.03)
    return known


def test_what_held_the_loop_is_not_kept() -> None:
    gc.disable()
    try:
        with capture_logs() as lines:
            known = asyncio.run(_hold_until(lambda: any(line.get("stack") for line in lines)))
    finally:
        gc.enable()
    assert known
    assert [each() for each in known] == [None] * len(known)


def test_the_gauge_forgets_after_some_minutes() -> None:
    recent = Recent()
    assert recent.add(0.3, 1.0) == 0.3
    assert recent.add(0.1, 2.0) == 0.3
    assert recent.add(0.0, WINDOW_SECONDS * (WINDOWS - 1)) == 0.3
    assert recent.add(0.0, WINDOW_SECONDS * WINDOWS) == 0.0

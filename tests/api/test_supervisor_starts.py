"""A supervisor that can't start a worker at once."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from compose.api import supervisor as module
from compose.api.supervisor import Supervisor
from compose.errors import UserError
from compose.reading_settings import read_settings


def test_a_worker_that_can_not_be_started_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    # The last one is what ends a supervisor.
    answers = [BlockingIOError("no more processes"), OSError("no memory"), UserError("enough")]

    async def start(*_: Any, **__: Any) -> asyncio.subprocess.Process:
        raise answers.pop(0)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    with socket.create_server(("127.0.0.1", 0)) as listener, capture_logs() as lines:
        supervisor = Supervisor(read_settings(data=tmp_path, workers=1), listener, tmp_path)
        with pytest.raises(UserError, match="enough"):
            asyncio.run(supervisor.run())
    found = [(line["worker"], line["reason"]) for line in lines if line["log_level"] == "error"]
    assert found == [(0, "no more processes"), (0, "no memory")]

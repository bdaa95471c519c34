"""A server says where it listens: to people on a terminal, to programs in its log."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path

from compose.listening import base_url
from tests.support.launching import ROOT


def first_line(data: Path, terminal: bool) -> str:
    """What ``headwater serve`` says first, on a terminal or in a pipe."""
    reading, writing = pty.openpty() if terminal else os.pipe()
    command = [sys.executable, "-m", "compose.cli", "serve", "--port", "0", "--data", str(data)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=writing)
    os.close(writing)
    try:
        with os.fdopen(reading) as lines:
            said = next(line for line in lines if "listen" in line)
            process.send_signal(signal.SIGTERM)
            process.wait()
            return said
    finally:
        process.kill()
        process.wait()


def test_on_a_terminal(tmp_path: Path) -> None:
    said = first_line(tmp_path, terminal=True)
    assert said.startswith("Headwater listens on http://127.0.0.1:")
    assert "/docs" in said


def test_elsewhere(tmp_path: Path) -> None:
    said = json.loads(first_line(tmp_path, terminal=False))
    assert said["event"] == "listening"
    assert said["url"].startswith("http://127.0.0.1:")


def test_urls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert base_url(listener, encrypted=False) == f"http://127.0.0.1:{port}"
        assert base_url(listener, encrypted=True) == f"https://127.0.0.1:{port}"
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        assert base_url(listener, encrypted=False) == f"http://[::1]:{listener.getsockname()[1]}"

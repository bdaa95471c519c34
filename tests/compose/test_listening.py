"""A server says where it listens: to people on a terminal, to programs in its log."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
import httpx
import pytest
from click.testing import CliRunner

from compose.commands.app import app
from compose.errors import UserError
from compose.http.server import AddressInUseError, bind
from compose.listening import base_url
from tests.support.launching import ROOT


def first_line(data: Path, terminal: bool, *arguments: str, then: Callable[[str], None] = lambda _: None) -> str:
    """Where ``headwater serve`` says that it listens, on a terminal or in a pipe; ``then`` is done when it has."""
    return first_lines(data, terminal, *arguments, then=then)[-1]


def first_lines(data: Path, terminal: bool, *arguments: str, then: Callable[[str], None] = lambda _: None) -> list[str]:
    """What it says until then, too."""
    reading, writing = pty.openpty() if terminal else os.pipe()
    command = [sys.executable, "-m", "compose.cli", "serve", "--port", "0", "--data", str(data), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stderr=writing)
    os.close(writing)
    try:
        with os.fdopen(reading) as lines:
            said: list[str] = []
            while not said or "listen" not in said[-1]:
                said.append(next(lines))
            then(said[-1])
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


def test_workers_answer_when_they_are_said_to(tmp_path: Path) -> None:
    answered: list[int] = []

    def ask(line: str) -> None:
        said = json.loads(line)
        for _ in range(20):
            answered.append(httpx.get(f"{said['url']}/readyz").status_code)
            with grpc.insecure_channel(f"127.0.0.1:{said['grpc_port']}") as channel:
                channel.unary_unary("/grpc.health.v1.Health/Check")(b"")

    said = json.loads(first_line(tmp_path, False, "--workers", "2", "--grpc", then=ask))
    assert answered == [200] * 20
    assert (said["event"], said["workers"], said["data"]) == ("listening", 2, str(tmp_path))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_keys_in_variables_that_are_not_read(tmp_path: Path, workers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "guess")
    said = first_lines(tmp_path, False, "--workers", workers)
    assert "guess" not in "".join(said)
    (warning,) = (line for line in map(json.loads, said) if line["level"] == "warning")
    assert (warning["unread"], warning["remedy"]) == (["API_KEY"], "set HEADWATER_API_KEY")


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b"])
def test_a_host_that_there_is_not(host: str) -> None:
    with pytest.raises(AddressInUseError, match=rf"can't listen on {re.escape(host)}:0: ."):
        bind(host, 0)


@pytest.mark.parametrize("workers", ["0", "257"])
def test_settings_that_are_out_of_bounds(workers: str) -> None:
    for arguments, environment in ((["--workers", workers], {}), ([], {"HEADWATER_WORKERS": workers})):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            refused = CliRunner().invoke(app, ["serve", *arguments])
        assert isinstance(refused.exception, UserError)
        assert re.fullmatch(
            rf"workers: should be (greater|less) than or equal to \d+, not {workers}", str(refused.exception)
        )


def test_urls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert base_url(listener, encrypted=False) == f"http://127.0.0.1:{port}"
        assert base_url(listener, encrypted=True) == f"https://127.0.0.1:{port}"
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        assert base_url(listener, encrypted=False) == f"http://[::1]:{listener.getsockname()[1]}"

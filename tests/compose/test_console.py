"""What commands print is what was meant, also where it looks like markup."""

import subprocess
import sys
from importlib.metadata import version

import pytest
from rich.console import Console
from rich.table import Table

from compose.console import plain_console, whole_table
from tests.support.launching import ROOT
from tests.support.server import headwater


@pytest.mark.parametrize("name", ["[/a].jsonl", "[fe80::1]:9092", "[red]a", ":star:"])
def test_an_error_shows_what_it_is_about(name: str) -> None:
    done = headwater("produce", name, "--kafka", "127.0.0.1:9")
    assert (done.returncode, done.stderr) == (1, f"headwater: {name} can't be read: No such file or directory\n")


def test_the_tools_for_a_broker_show_what_they_are_about() -> None:
    command = [sys.executable, "-m", "compose.kafka", "stop", "--folder", "[/a]"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "no broker runs in [/a]\n")


def test_tables_show_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("collection")
    table.add_row("[/a] [red] :star:")
    plain_console().print(table)
    assert "[/a] [red] :star:" in capsys.readouterr().out


def test_what_is_piped_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    name = "a name " * 100
    table = whole_table("collection", "log")
    table.add_row(name, "embedded:0123456789abcdef")
    plain_console().print(table)
    plain_console().print(name, "is what it is")
    printed = capsys.readouterr().out.splitlines()
    assert name in printed[3]
    assert "embedded:0123456789abcdef" in printed[3]
    assert printed[-1] == f"{name} is what it is"


def test_a_narrow_terminal_shows_all(capsys: pytest.CaptureFixture[str]) -> None:
    table = whole_table("collection", "log")
    table.add_row("c" * 100, "l" * 100)
    Console(width=40, force_terminal=True).print(table)
    printed = capsys.readouterr().out
    assert (printed.count("c"), printed.count("l")) == (102, 103)


def test_the_version() -> None:
    done = headwater("--version")
    assert (done.returncode, done.stdout) == (0, f"headwater {version('headwater')}\n")

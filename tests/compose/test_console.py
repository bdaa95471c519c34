"""What commands print is what was meant, also where it looks like markup."""

import subprocess
import sys

import pytest
from rich.table import Table

from compose.console import plain_console
from tests.support.server import ROOT, headwater


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

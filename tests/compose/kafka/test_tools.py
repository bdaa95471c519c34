"""Kafka's own tools run from the broker's jars."""

import subprocess
import sys

import pytest

from compose.kafka import MissingToolError
from compose.kafka.tools import TOOLS
from tests.support.kafka import missing_kafka
from tests.support.launching import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "compose.kafka", "run", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if "was not found" in done.stderr:
        missing_kafka(MissingToolError(done.stderr))
    return done


@pytest.mark.kafka
@pytest.mark.usefixtures("quick_java")
@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_every_tool_is_there(tool: str) -> None:
    done = run(tool, "--version")
    assert (done.returncode, done.stdout.strip()) == (0, "4.1.1"), done.stderr


@pytest.mark.kafka
@pytest.mark.usefixtures("quick_java")
def test_options_are_the_tools_own() -> None:
    done = run("kafka-console-producer", "--help")
    assert "--bootstrap-server" in done.stdout + done.stderr


def test_another_tool() -> None:
    done = run("kafka-explode", "--version")
    assert done.returncode == 2
    assert "kafka-console-producer" in done.stdout

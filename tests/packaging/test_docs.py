"""What the pages for users name is there: commands and their options, tools, variables, metrics, files."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compose.commands.app import app
from compose.kafka.tools import TOOLS
from compose.settings import Settings
from ingest.kafka.settings import KafkaSettings
from tests.packaging.compose_file import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md", ROOT / "docs" / "kafka.md"]
page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
SOURCES = ("schemas", "ingest", "projector", "query_api", "compose")


def commands(path: Path) -> Iterator[list[str]]:
    """The words of every headwater and scripts/kafka command in a page's shell blocks and code spans."""
    text = path.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    spans = re.findall(r"(?<!`)`([^`]+)`(?!`)", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    for line in [line for block in blocks for line in block.replace("\\\n", " ").splitlines()] + spans:
        words = shlex.split(line, comments=True) if line.count("'") % 2 == 0 else line.split()
        for start, word in enumerate(words):
            if word.removeprefix(".venv/bin/") == "headwater" or word == "scripts/kafka":
                end = next((i for i in range(start, len(words)) if words[i] in ("|", "&", "&&", ";")), len(words))
                yield words[start:end]


def options_of(command: Any) -> set[str]:
    return {name for option in command.params for name in (*option.opts, *option.secondary_opts)}


def check_headwater(words: list[str]) -> None:
    """Raise AssertionError for a command or an option that there is not."""
    command: Any = app
    options = options_of(command)
    for word in words:
        inner: dict[str, Any] = getattr(command, "commands", {})
        if word.startswith("--"):
            assert word.rstrip(",") in options, words
        elif inner:
            assert word.rstrip(",") in inner, words
            command = inner[word.rstrip(",")]
            options = options_of(command)


@page
def test_commands_and_their_options_exist(path: Path) -> None:
    for program, *words in commands(path):
        if program == "scripts/kafka":
            assert not words or words[0] in ("start", "stop", "status", "start|stop|status", "run"), words
            assert words[:1] != ["run"] or words[1] in TOOLS, words
        else:
            check_headwater(words)


def test_commands_are_found() -> None:
    found = [words[1] for words in commands(ROOT / "docs" / "kafka.md") if len(words) > 1]
    assert {"projector", "api", "produce", "rejected", "log", "snapshot", "start", "run"} <= set(found)
    for wrong in (["explode"], ["log", "explode"], ["api", "--explode"], ["--data"]):
        with pytest.raises(AssertionError):
            check_headwater(wrong)


@page
def test_variables_are_settings(path: Path) -> None:
    text = path.read_text()
    known = {f"HEADWATER_{name.upper()}" for name in Settings.__struct_fields__}
    known |= {f"HEADWATER_KAFKA__{name.upper()}" for name in KafkaSettings.model_fields}
    known |= {"HEADWATER_KAFKA__", "HEADWATER_", "HEADWATER_VENV"}
    assert set(re.findall(r"HEADWATER_[A-Z_]*", text)) <= known
    for name in re.findall(r"`\.\.([A-Z_]+)`", text):
        assert name.lower() in KafkaSettings.model_fields


def test_metrics_exist() -> None:
    sources = "".join(path.read_text() for folder in SOURCES for path in (ROOT / folder).rglob("*.py"))
    text = (ROOT / "docs" / "kafka.md").read_text()
    names = re.findall(r"`(headwater_\w+|\.\.[a-z_]+)`", text)
    assert len(names) > 10
    for name in names:
        full = name.replace("..", "headwater_segment_build")
        assert f'"{full}"' in sources, full


@page
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        file, _, anchor = target.partition("#")
        if "://" in file:
            continue
        there = path.parent / file if file else path
        assert there.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", there.read_text(), re.M)
            assert anchor in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, target

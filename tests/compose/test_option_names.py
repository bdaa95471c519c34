"""Options that messages tell of exist, in the command that they are told of for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click

from compose.commands.app import app
from tests.support.launching import ROOT

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
COMMAND = re.compile(r"(?:^|[`/ ])headwater ((?:[a-z]+\b ?)+[^`\n&|]*)", re.MULTILINE)
OTHER_PROGRAMS = re.compile(r"kafka-\w+\.sh|mvn")
ROOMS = ("schemas", "ingest", "projector", "query_api", "compose")
SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]

root = app


def options(command: click.Command) -> set[str]:
    own = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return {name for name in own if name.startswith("--")} | {"--help"}


def all_options(group: click.Group) -> set[str]:
    found = options(group)
    for command in group.commands.values():
        found |= all_options(command) if isinstance(command, click.Group) else options(command)
    return found


def command_of(words: str) -> tuple[click.Command, str]:
    """The command that a line calls, and what follows its name."""
    command: click.Command = root
    while isinstance(command, click.Group):
        name, _, rest = words.partition(" ")
        if name not in command.commands:
            break
        found = command.commands[name]
        command, words = found, rest
    return command, words


def texts(path: Path) -> Iterator[str]:
    """The texts in a module's code, values left out of those that are put together; no docstrings."""
    tree = ast.parse(path.read_text())
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inner.update(map(id, node.values))
            yield "".join(str(v.value) if isinstance(v, ast.Constant) else "X" for v in node.values)
        elif isinstance(node, ast.Expr):
            inner.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.value


def wrong(text: str) -> list[str]:
    """The options in a text that are no options of the commands it names; without a command: of any."""
    known = all_options(root)
    found: list[str] = []
    for called in COMMAND.finditer(text):
        command, rest = command_of(called[1])
        allowed = known if isinstance(command, click.Group) else options(command)
        found += [f"headwater {called[1]}: {flag}" for flag in FLAG.findall(rest) if flag not in allowed]
    return found


def test_the_check_finds_what_is_wrong() -> None:
    assert wrong("run: headwater snapshot restore NAME --data X") == []
    assert wrong("run: headwater snapshot restore NAME --folder X") != []
    assert wrong("`headwater log tail --dry-run`") != []


def test_messages_name_options_that_exist() -> None:
    known = all_options(root)
    seen: set[str] = set()
    for path in SOURCES:
        if path.is_relative_to(ROOT / "compose" / "kafka"):
            continue  # it calls other programs
        for text in texts(path):
            if not OTHER_PROGRAMS.search(text):
                flags = set(FLAG.findall(text))
                assert flags <= known, (path, text)
                seen |= flags
            assert wrong(text) == [], path
    assert {"--ignore-group", "--kafka", "--origin"} <= seen

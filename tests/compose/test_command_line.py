"""Commands declared by functions: what these get, and what is said to who calls them."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pytest
from click.testing import CliRunner, Result

from compose.command_line import Commands, argument, option


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


got: dict[str, Any] = {}
app = Commands("Things.")


@app.declared("paint")
def paint(
    what: Annotated[Path, argument(help="What to paint.")],
    more: Annotated[list[str] | None, argument(metavar="MORE...")] = None,
    colour: Annotated[Colour, option(help="In which colour.")] = Colour.RED,
    times: Annotated[int, option("--times", "-t", help="How often.")] = 1,
    to_whom: Annotated[str | None, option(help="For whom.", envvar="TEST_TO_WHOM")] = None,
    where: Annotated[Path | None, option("--from", help="Where the paint is.")] = None,
    dry: Annotated[bool, option("--dry", help="Without paint.")] = False,
    loud: Annotated[bool | None, option("--loud/--quiet", help="Whether to sing.")] = None,
    tool: Annotated[list[str] | None, option(help="May be repeated.")] = None,
) -> None:
    """Paint something."""
    got.update(locals())


@app.declared("need")
def need(into: Annotated[int, option(help="It takes this.")]) -> None:
    """Take what it takes."""
    got.update(locals())


@app.declared("wait")
def wait() -> None:
    """Until somebody has enough of it."""
    raise KeyboardInterrupt


def call(*arguments: str, **environment: str) -> Result:
    got.clear()
    return CliRunner().invoke(app, arguments, env=environment)


def test_defaults() -> None:
    assert call("paint", "house").exit_code == 0
    assert got["what"] == Path("house")
    assert got["colour"] is Colour.RED
    assert (got["times"], got["to_whom"], got["where"], got["dry"], got["loud"]) == (1, None, None, False, None)
    assert (got["more"], got["tool"]) == ([], [])


def test_everything_given() -> None:
    options = ("--colour", "green", "-t", "3", "--to-whom", "me", "--from", "/x", "--tool", "p", "--tool", "q")
    assert call("paint", "house", "a", "b", *options, "--dry", "--quiet").exit_code == 0
    assert got["colour"] is Colour.GREEN
    assert (got["times"], got["to_whom"], got["where"]) == (3, "me", Path("/x"))
    assert (got["dry"], got["loud"], got["more"], got["tool"]) == (True, False, ["a", "b"], ["p", "q"])
    assert call("paint", "house", "--loud").exit_code == 0
    assert got["loud"] is True


def test_the_environment_says_what_is_not_given() -> None:
    assert call("paint", "house", TEST_TO_WHOM="them").exit_code == 0
    assert got["to_whom"] == "them"
    assert call("paint", "house", "--to-whom", "me", TEST_TO_WHOM="them").exit_code == 0
    assert got["to_whom"] == "me"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["paint"], "Missing argument"),
        (["need"], "Missing option '--into'"),
        (["need", "--into", "x"], "'x' is not a valid integer"),
        (["paint", "house", "--colour", "blue"], "'blue' is not one of 'red', 'green'"),
        (["paint", "house", "--from", ""], "Invalid value for '--from': should not be empty"),
        (["paint", ""], "should not be empty"),
        (["paint", "house", "--explode"], "No such option: --explode"),
        (["explode"], "No such command 'explode'"),
    ],
)
def test_what_is_wrong(words: list[str], said: str) -> None:
    result = call(*words)
    assert result.exit_code == 2
    assert said in result.output
    assert got == {}


def test_ctrl_c_has_a_code_of_its_own() -> None:
    outer = Commands("All.")
    outer.add_command(app, "things")
    result = CliRunner().invoke(outer, ["things", "wait"])
    assert (result.exit_code, result.output) == (130, "")


def test_help() -> None:
    assert "Paint something." in call("--help").output
    shown = call("paint", "--help").output
    for text in ("What to paint.", "--colour [red|green]", "[default: red]", "--loud / --quiet", "TEST_TO_WHOM"):
        assert text in shown, shown
    assert re.search(r"Arguments:\n  WHAT +What to paint\.\n(.*\n)+\nOptions:\n  --colour", shown)
    assert "Things." in call().output

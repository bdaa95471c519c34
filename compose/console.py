"""What commands print for people, and for programs. What prints is imported when it is to: no server needs it."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from compose.command_line import option

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Json = Annotated[bool, option("--json", help="One JSON document instead of a table.")]

_NOT_A_TERMINAL = 1_000_000
"""Columns where nobody looks: a table is as wide as what is in it."""


def plain_console(*, stderr: bool = False) -> "Console":
    """A console that shows text as it is: names and paths may look like rich's markup.

    What goes to a file or another program is not wrapped, and nothing in it is left out.
    """
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, markup=False, emoji=False, width=None if terminal else _NOT_A_TERMINAL)


def whole_table(*titles: str) -> "Table":
    """A table that wraps what is wider than the terminal; rich's own leaves that out."""
    from rich.table import Table

    table = Table()
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def print_json(value: Any) -> None:
    """Print ``value``, which msgspec can encode, as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")

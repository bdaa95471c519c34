"""What commands print for people."""

from rich.console import Console


def plain_console(*, stderr: bool = False) -> Console:
    """A console that shows text as it is: names and paths may look like rich's markup."""
    return Console(stderr=stderr, markup=False, emoji=False)

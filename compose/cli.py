"""The ``headwater`` command: its commands are in ``compose.commands``."""

import sys

from projector.garbage import made_to_stay


def main() -> None:
    """Run the command line; what a user can mend ends with one clear message and exit code 1."""
    with made_to_stay():
        from compose.commands.app import app
        from compose.errors import expected_errors, first_error
    try:
        app()
    except Exception as raised:
        error = first_error(raised)
        if not isinstance(error, expected_errors()):
            raise
        from rich.text import Text

        from compose.console import plain_console

        message = Text.assemble(("headwater:", "bold red"), f" {error}")
        plain_console(stderr=True).print(message, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

"""``python -m compose.kafka``: start, stop and look at a broker, run Kafka's tools; what ``scripts/kafka`` runs."""

import sys
from pathlib import Path
from typing import Annotated

from click.exceptions import Exit
from rich.text import Text

from compose.command_line import Commands, argument, option
from compose.console import plain_console
from compose.kafka.broker import BrokerError, KafkaBroker
from compose.kafka.jars import FetchError, MissingToolError
from compose.kafka.tools import TOOLS, run_tool

app = Commands("A Kafka broker on this machine, without Docker.")
Folder = Annotated[Path, option(envvar="HEADWATER_KAFKA_FOLDER", help="Where its files are.")]
FOLDER = Path("data/kafka")
PORT = 9092


def main() -> None:
    """Run the command line; what a user can mend ends with one clear message and exit code 1."""
    try:
        app(prog_name="kafka")
    except (BrokerError, FetchError, MissingToolError) as error:
        message = Text.assemble(("kafka:", "bold red"), f" {error}")
        plain_console(stderr=True).print(message, soft_wrap=True)
        sys.exit(1)


def _say(what: str) -> None:
    plain_console().print(what, highlight=False, soft_wrap=True)


@app.declared("start")
def start(
    folder: Folder = FOLDER,
    port: Annotated[int | None, option(envvar="HEADWATER_KAFKA_PORT", help="Where clients connect.")] = None,
) -> None:
    """Start a broker and wait until it takes requests. It goes on running until it is stopped."""
    before = KafkaBroker.find(folder)
    broker = KafkaBroker.start(folder, port or (None if before is not None else PORT))
    _say(f"a broker runs on {broker.bootstrap} (process {broker.pid}); its log: {broker.log}")


@app.declared("stop")
def stop(folder: Folder = FOLDER) -> None:
    """Stop the broker; what it stored stays."""
    broker = KafkaBroker.find(folder)
    if broker is None or not broker.running:
        _say(f"no broker runs in {folder}")
        return
    broker.stop()
    _say("stopped")


@app.declared("status")
def status(folder: Folder = FOLDER) -> None:
    """Say whether the broker runs, and where. Exit code 3 when it doesn't."""
    broker = KafkaBroker.find(folder)
    if broker is None or not broker.running:
        _say(f"no broker runs in {folder}")
        raise Exit(3)
    _say(f"a broker runs on {broker.bootstrap} (process {broker.pid}); its log: {broker.log}")


@app.declared(
    "run",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    help=f"Run one of Kafka's own tools: {', '.join(TOOLS)}.",
)
def run(
    tool: Annotated[str, argument(metavar="TOOL")],
    arguments: Annotated[list[str] | None, argument(metavar="[OPTIONS OF TOOL]...")] = None,
) -> None:
    """Run one of Kafka's own tools."""
    if tool not in TOOLS:
        _say(f"there is no {tool}; there are {', '.join(TOOLS)}")
        raise Exit(2)
    run_tool(tool, arguments or [])


if __name__ == "__main__":
    main()

"""All commands together."""

from importlib.metadata import version
from typing import Annotated

import typer

from compose.commands import api, import_, info, log, produce, projector, rejected, replay, serve, snapshot, verify
from compose.console import plain_console

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Headwater: a vector database over a log.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        plain_console().print(f"headwater {version('headwater')}", highlight=False)
        raise typer.Exit


@app.callback()
def common(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Headwater: a vector database over a log."""


app.command("serve")(serve.serve)
app.command("api")(api.api)
app.command("projector")(projector.projector)
app.command("produce")(produce.produce)
app.command("verify")(verify.verify)
app.command("replay")(replay.replay)
app.command("info")(info.info)
app.add_typer(import_.app, name="import")
app.add_typer(log.app, name="log")
app.add_typer(rejected.app, name="rejected")
app.add_typer(snapshot.app, name="snapshot")

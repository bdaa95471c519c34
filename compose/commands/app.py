"""All commands together."""

import click

from compose.command_line import Commands
from compose.commands import api, import_, info, log, produce, projector, rejected, replay, serve, snapshot, verify

app = Commands("Headwater: a vector database over a log.")
click.version_option(package_name="headwater", message="headwater %(version)s", help="Show the version.")(app)
app.declare("serve", serve.serve)
app.declare("api", api.api)
app.declare("projector", projector.projector)
app.declare("produce", produce.produce)
app.declare("verify", verify.verify)
app.declare("replay", replay.replay)
app.declare("info", info.info)
app.add_command(import_.app, "import")
app.add_command(log.app, "log")
app.add_command(rejected.app, "rejected")
app.add_command(snapshot.app, "snapshot")

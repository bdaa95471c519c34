"""``headwater import``: collections from elsewhere."""

from pathlib import Path
from typing import Annotated

from compose.command_line import Commands, argument, option
from compose.console import plain_console
from compose.errors import UserError

app = Commands("Copy collections from elsewhere.")


@app.declared("qdrant")
def qdrant(
    url: Annotated[str, argument(help="The server to copy from: a Qdrant, or another Headwater.")],
    collection: Annotated[
        list[str] | None, option(help="A collection to copy; may be given several times (default: all).")
    ] = None,
    to: Annotated[str, option(help="The Headwater to copy to.")] = "http://localhost:6333",
    api_key: Annotated[str | None, option(help="The key of the server to copy from.")] = None,
    to_api_key: Annotated[
        str | None, option(help="The key of the server to copy to.", envvar="HEADWATER_API_KEY")
    ] = None,
    state: Annotated[Path, option(help="A file that says how far it is.")] = Path("headwater-import.json"),
) -> None:
    """Copy collections with their configuration, payload indexes, points and aliases, over REST and so through the log.

    What was begun goes on where it was ended: the file --state says where that is, and is deleted at the end. What the
    server to copy from changes meanwhile may be missing in the copy; the counts are compared at the end.
    """
    from compose.importing.client import Client
    from compose.importing.copy import Importer
    from compose.importing.state import StateFile

    with Client(url, api_key) as source, Client(to, to_api_key) as target:
        file = StateFile(state, source.url, target.url)
        copied = Importer(source, target, file).run(collection or [])
    console = plain_console()
    for each in copied:
        console.print(f"{each.name}: {each.here:,} points of {each.there:,}", highlight=False, soft_wrap=True)
    different = [each.name for each in copied if each.here != each.there]
    if different:
        raise UserError(
            f"the counts of {', '.join(different)} differ: points were changed while they were copied. Delete the "
            f"copies and {state}, and copy again"
        )
    file.remove()

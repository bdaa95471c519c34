"""One consumer group, one data folder: workers with different ones would each fold a part of what their apis read.

A worker's name in its group has the id of its data folder in it, so whoever joins sees which folder the others work in.
Nothing of it is kept in Kafka: once no member is left, any folder will do.
"""

import asyncio
import fcntl
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from compose.errors import UserError
from ingest.kafka.groups import Member
from projector.worker.faust.thread import SESSION_SECONDS

FILE = "folder-id"
LEFT_SECONDS = SESSION_SECONDS + 2.0
"""A worker that was killed counts as a member until its session ends."""
LOOK_SECONDS = 0.5

_NAME = re.compile(r"\.data-(?P<folder>[0-9a-f]{16})$")


def folder_id(data: Path) -> str:
    """The id of a data folder, made when it has none. A copy has another one than what it is a copy of.

    Raises OSError.
    """
    data.mkdir(parents=True, exist_ok=True)
    inode = str(data.stat().st_ino)
    descriptor = os.open(data / FILE, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # several workers may start at once
        found = file.read().split()
        if len(found) == 2 and found[1] == inode:
            return found[0]
        made = secrets.token_hex(8)
        file.seek(0)
        file.truncate()
        file.write(f"{made} {inode}\n")
        file.flush()
        os.fsync(file.fileno())
    return made


def member_name(client: str, folder: str) -> str:
    """The client id of a worker over the data folder with this id."""
    return f"{client}.data-{folder}"


def strangers(members: Iterable[Member], folder: str) -> dict[str, str]:
    """The ids of the other data folders that members work in, each with the address of one."""
    found = {match["folder"]: member.host for member in members if (match := _NAME.search(member.name))}
    return {other: host for other, host in found.items() if other != folder}


async def refuse_other_folders(
    members: Callable[[], Awaitable[list[Member]]], group: str, data: Path, folder: str, seconds: float
) -> None:
    """Raise UserError while members of ``group`` work in another data folder, and still do after ``seconds`` seconds.

    Raises LogUnavailableError.
    """
    time = asyncio.get_running_loop().time
    until = time() + seconds
    while others := strangers(await members(), folder):
        if time() >= until:
            raise UserError(refusal(group, data, others))
        await asyncio.sleep(LOOK_SECONDS)


def refusal(group: str, data: Path, others: dict[str, str]) -> str:
    """Why a worker over ``data`` may not be in the group beside ``others``: see ``strangers``."""
    hosts = ", ".join(sorted(set(others.values())))
    return (
        f"another projector of the group {group} works in another data folder than {data} (it runs on {hosts}). The "
        "workers of a group share one data folder: each would fold some of the partitions, and no api would have all. "
        "Start this one on that folder, stop the other, or give this one another --group: then it is a replica, and "
        "takes --no-route."
    )

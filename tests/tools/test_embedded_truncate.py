"""Shortening the embedded log: by a command, also while a server runs, and by the server itself."""

import asyncio
from pathlib import Path

import pytest

from compose.commands.log import truncate
from compose.errors import UserError
from compose.log_copy import copy_log, locked_log
from compose.settings import DataFolder
from ingest.embedded import EmbeddedLog
from ingest.kafka import KafkaSettings
from ingest.log import Topic
from projector.folders import StateFolder
from projector.snapshot import SnapshotError, SnapshotsFolder
from projector.snapshot.create import create
from tests.damage.node import open_node
from tests.support.http import Http
from tests.support.server import Server, headwater
from tests.support.waiting import eventually

POINTS = 20
SECRET = "deleted-payload"


def fill(http: Http, rounds: int) -> None:
    """Overwrite the same points again and again, with a payload that is gone in the end."""
    http.put("/collections/words", {"vectors": {"size": 2, "distance": "Dot"}})
    for number in range(rounds):
        payload = {"round": number, "text": SECRET * 20}
        points = [{"id": i, "vector": [i, number], "payload": payload} for i in range(POINTS)]
        assert http.put("/collections/words/points?wait=true", {"points": points}).status == 200
    points = [{"id": i, "vector": [i, 1], "payload": {"kept": True}} for i in range(POINTS)]
    assert http.put("/collections/words/points?wait=true", {"points": points}).status == 200


def is_all_there(http: Http) -> bool:
    """Whether the points are as they were written last."""
    found = http.post("/collections/words/points/scroll", {"limit": 100}).result["points"]
    return [point["payload"] for point in found] == [{"kept": True}] * POINTS


def has_secret(data: Path) -> bool:
    """Whether the log has a payload that was overwritten."""
    return any(SECRET.encode() in read_if_there(path) for path in data.glob("log/points-*/*.log"))


def read_if_there(path: Path) -> bytes:
    """A file of the log; the server may drop it at any moment."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_by_a_command(tmp_path: Path, workers: str) -> None:
    data = tmp_path / "data"
    none = headwater("log", "truncate", "--data", str(data))
    assert (none.returncode, "there is no log" in none.stderr) == (1, True), none.stderr
    with Server(data, ["--workers", workers]) as server:
        server.start()
        with Http(server.port) as http:
            fill(http, 3)
            assert headwater("log", "truncate", "--data", str(data)).returncode == 1
            made = headwater("snapshot", "create", "--data", str(data))
            assert made.returncode == 0, made.stderr
            assert headwater("log", "truncate", "--dry-run", "--data", str(data)).returncode == 0
            assert has_secret(data)
            done = headwater("log", "truncate", "--data", str(data))
            assert done.returncode == 0, done.stderr
            assert not has_secret(data)
            assert is_all_there(http)
            fill(http, 1)
        assert server.stop() == 0
        server.start()
        with Http(server.port) as http:
            assert is_all_there(http)
        assert server.stop() == 0
    made = headwater("snapshot", "create", "--data", str(data))
    assert made.returncode == 0, made.stderr
    done = headwater("log", "truncate", "--data", str(data))
    assert done.returncode == 0, done.stderr
    verified = headwater("verify", "--data", str(data))
    assert (verified.returncode, "digests are equal" in verified.stdout) == (0, True), verified.stderr


DAMAGE = {"table": ("*.sst", 0.5), "end of a table": ("*.sst", 0.95), "manifest": ("MANIFEST-*", 0.5)}
"""What of a snapshot is cut, and the share of it that is kept."""


def test_nothing_is_deleted_for_a_snapshot_that_is_damaged(tmp_path: Path) -> None:
    async def prepare() -> None:
        async with open_node(tmp_path) as node:
            await node.ask("PUT", "/collections/words", {"vectors": {"size": 2, "distance": "Dot"}})
            points = [{"id": i, "vector": [i, 1], "payload": {"text": SECRET}} for i in range(POINTS)]
            await node.ask("PUT", "/collections/words/points?wait=true", {"points": points})
        await create(SnapshotsFolder(tmp_path / "snapshots"), StateFolder(tmp_path / "state"), "one")

    asyncio.run(prepare())
    log = {path: path.read_bytes() for path in tmp_path.glob("log/**/*.log")}
    for pattern, kept in DAMAGE.values():
        damaged = max(tmp_path.glob(f"snapshots/one/points-*/rocksdb/{pattern}"), key=lambda path: path.stat().st_size)
        whole = damaged.read_bytes()
        damaged.unlink()
        damaged.write_bytes(whole[: int(len(whole) * kept)])
        with pytest.raises(SnapshotError, match="can't be started from"):
            truncate(data=tmp_path)
        assert {path: path.read_bytes() for path in tmp_path.glob("log/**/*.log")} == log
        damaged.write_bytes(whole)
    truncate(data=tmp_path)
    assert not has_secret(tmp_path)


def test_what_was_shortened_is_not_copied(tmp_path: Path) -> None:
    async def main() -> None:
        log = await EmbeddedLog.open(tmp_path)
        await log.append(Topic.POINTS, 0, b"x")
        await log.delete_before(Topic.POINTS, 0, 1)
        await log.close()
        async with locked_log(tmp_path) as source:
            with pytest.raises(UserError, match="begins at offset 1 of points-0"):
                await copy_log(source, KafkaSettings(bootstrap_servers="127.0.0.1:1"), lambda done: None)

    asyncio.run(main())


def test_by_itself(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Server(data, environment={"HEADWATER_LOG_RETENTION_BYTES": str(1 << 16)}) as server:
        server.start()
        with Http(server.port) as http:
            for _ in range(2):
                fill(http, 10)
                eventually(lambda: not has_secret(data))
                assert is_all_there(http)
        eventually(lambda: len([path for path in (data / "snapshots").iterdir() if path.name[0] != "."]) == 2)
        server.kill()
        server.start()
        with Http(server.port) as http:
            assert is_all_there(http)
    assert DataFolder(data).log.exists()

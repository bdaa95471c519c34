"""What an archive of a release holds, and how it is read; README.md says what is in it."""

import json
import tarfile
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from compose.settings import DataFolder
from ingest.log import LogRecord, Topic
from projector.folders import StateFolder
from projector.state.digest import ShardDigest
from tests.support.memory_log import MemoryLog
from tests.tools.world import digests

FOLDER = Path(__file__).parent
NAMES = sorted(path.name.removesuffix(".tar.xz") for path in FOLDER.glob("*.tar.xz"))


class Question(msgspec.Struct, frozen=True):
    """A request of reading, and the ``result`` of its answer."""

    method: str
    path: str
    body: Any
    result: Any


class Exported(msgspec.Struct, frozen=True):
    """A record of a log; bytes are in Base64."""

    topic: Topic
    partition: int
    offset: int
    timestamp_ms: int
    key: str | None
    value: str | None
    headers: list[tuple[str, str]]

    @classmethod
    def of(cls, topic: Topic, record: LogRecord) -> "Exported":
        """From a record as it was read."""
        headers = [(name, b64encode(value).decode()) for name, value in record.headers]
        key, value = _encoded(record.key), _encoded(record.value)
        return cls(topic, record.partition, record.offset, record.timestamp_ms, key, value, headers)

    def put(self, log: MemoryLog) -> None:
        """Append it to ``log``, where it must get the same offset."""
        headers = tuple((name, b64decode(value)) for name, value in self.headers)
        offset = log.put(self.topic, self.partition, _decoded(self.value), key=_decoded(self.key), headers=headers)
        assert offset == self.offset


Digest = tuple[str, int, int, str]
"""Collection, points, last version, value."""


class Digests(msgspec.Struct, frozen=True):
    """Of the shards of ``data`` and ``truncated``, by partition/uid/shard."""

    data: dict[str, Digest]
    truncated: dict[str, Digest]


class Release:
    """An archive, unpacked."""

    def __init__(self, name: str, into: Path) -> None:
        """``into`` is a folder to unpack it in."""
        with tarfile.open(FOLDER / f"{name}.tar.xz") as archive:
            archive.extractall(into, filter="data")
        self.data = into / "data"
        self.truncated = into / "truncated"
        self.questions = msgspec.json.decode((into / "answers.json").read_bytes(), type=list[Question])
        self.digests = msgspec.json.decode((into / "digests.json").read_bytes(), type=Digests)
        lines = (into / "records.jsonl").read_bytes().splitlines()
        self.records = [msgspec.json.decode(line, type=Exported) for line in lines]

    def log(self, partitions: int = 2) -> MemoryLog:
        """Its records on a log that is like Kafka's."""
        log = MemoryLog(partitions, identity="kafka:test")
        for record in self.records:
            record.put(log)
        return log


def digests_of(data: Path) -> dict[str, Digest]:
    """The digests of a data folder's shards. Raises what opening the states raises."""
    folder = DataFolder(data)
    identity = json.loads((folder.log / "identity.json").read_bytes())["identity"]
    return named(digests(StateFolder(folder.state), identity))


def named(found: Mapping[tuple[int, int, int], ShardDigest]) -> dict[str, Digest]:
    """Digests as they are kept in an archive."""
    return {"/".join(map(str, at)): (d.name, d.points, d.version, d.value) for at, d in found.items()}


def _encoded(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()


def _decoded(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)

"""A whole cluster on this machine: topics of its own in a real broker, projector workers and apis over one folder."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import pytest

from compose.kafka import KafkaBroker
from ingest.kafka import KafkaSettings
from tests.support.http import HOST, Http
from tests.support.kafka import settings_for
from tests.support.launching import Launch, launch
from tests.support.processes import resident_bytes
from tests.support.server import HeadwaterProcess, free_port, headwater, snapshots_in
from tests.support.topics import Topics
from tests.support.waiting import eventually

PARTITIONS = 3
REACH_SECONDS = 60


class Cluster:
    """``projectors`` workers of one group, an api of ``workers``, and what is added; a context manager.

    All have the data folder ``folder / "data"``; the topics are made when the first process starts.
    """

    examples = 0.4

    def __init__(
        self,
        folder: Path,
        kafka: KafkaSettings,
        *,
        partitions: int = PARTITIONS,
        projectors: int = 1,
        workers: int = 1,
        environment: Mapping[str, str] | None = None,
        grpc: bool = False,
        launch: Launch = launch,
    ) -> None:
        """``grpc``: whether the api is to answer on ``grpc_port``, too."""
        self._launch = launch
        self.grpc_port = free_port()
        self.folder = folder
        self.data = folder / "data"
        self.snapshots = snapshots_in(self.data)
        self.kafka = kafka.model_copy(update={"partitions": partitions})
        self.topics = Topics(self.kafka)
        self._environment = dict(environment or {})
        self._closed = False
        self.processes: list[HeadwaterProcess] = []
        self.projectors = [self.add_projector() for _ in range(projectors)]
        calls = ["--grpc", "--grpc-port", str(self.grpc_port)] if grpc else []
        self.api = self.add_api(*calls, workers=workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add_projector(self, *arguments: str, data: Path | None = None) -> HeadwaterProcess:
        """One more projector worker, not started; ``arguments`` are further flags."""
        return self._add("projector", "--admin-port", data, arguments)

    def add_api(self, *arguments: str, workers: int = 1, data: Path | None = None) -> HeadwaterProcess:
        """One more api, not started."""
        return self._add("api", "--port", data, ("--host", HOST, "--workers", str(workers), *arguments))

    def _add(self, command: str, flag: str, data: Path | None, arguments: Sequence[str]) -> HeadwaterProcess:
        port = free_port()
        words = [command, flag, str(port), *self.flags(data), *arguments]
        output = self.folder / f"{command}-{len(self.processes)}.output"
        process = HeadwaterProcess(words, port, output, self._environment, self._launch)
        self.processes.append(process)
        return process

    def flags(self, data: Path | None = None) -> list[str]:
        """What tells a command where everything is."""
        kafka = ["--kafka", self.kafka.bootstrap_servers, "--prefix", self.kafka.prefix]
        return [*kafka, "--partitions", str(self.kafka.partitions), "--data", str(data or self.data)]

    def start(self) -> Self:
        """Start every process, and wait until all are ready."""
        for process in self.processes:
            process.launch()
        for process in self.processes:
            process.wait_ready()
        return self

    def close(self) -> None:
        """End every process that was started (kill -9), and those they started, for good."""
        self._closed = True
        self.topics.close()
        for process in self.processes:
            process.close()

    @property
    def port(self) -> int:
        """Where the api answers."""
        return self.api.port

    @property
    def url(self) -> str:
        """Where the api answers."""
        return self.api.url

    def alive(self) -> bool:
        """Whether every process runs."""
        return all(process.poll() is None for process in self.processes)

    def resident_bytes(self) -> int:
        """The resident memory of the api."""
        return sum(resident_bytes(pid) for pid in self.api.processes())

    def last_output(self) -> str:
        """The end of what each process wrote."""
        return "\n".join(f"--- {p.output.name}\n{p.last_output()}" for p in self.processes)

    def settle(self, api: HeadwaterProcess | None = None) -> str:
        """Wait until all that is on the points topic is routed, and what became of it visible; the token for that.

        Nothing may be written meanwhile. Raises TimeoutError.
        """
        ends = self.topics.points_ends()
        eventually(lambda: self._routed(ends))
        token = self.topics.token()
        self.reach(api or self.api, token)
        return token

    def _routed(self, ends: Mapping[int, int]) -> bool:
        routed = self.topics.committed(f"{self.kafka.prefix}.router")
        return all(routed.get(partition, 0) >= end for partition, end in ends.items())

    def reach(self, api: HeadwaterProcess, token: str) -> None:
        """Wait until what a token names is visible in a worker of an api. Raises TimeoutError."""
        headers = {"x-headwater-offsets": token} if token else {}

        def reached() -> bool:
            with Http(api.port, timeout=2 * REACH_SECONDS) as http:
                return http.send("GET", f"/collections?timeout={REACH_SECONDS}", headers=headers).status == 200

        eventually(reached)

    def drop_all(self) -> None:
        """Delete all collections, and their aliases; nothing once it is closed.

        A fixture of a module that is made with one parameter after another ends only when the next one is asked for.
        """
        if self._closed:
            return
        with Http(self.port, timeout=2 * REACH_SECONDS) as http:
            for found in http.get("/collections").result["collections"]:
                assert http.delete(f"/collections/{quote(found['name'], safe='')}").result is True

    def verify(self, data: Path | None = None) -> str:
        """``headwater verify`` over a data folder that no projector works on; what it says when all is equal."""
        arguments = self.flags(data)
        at = arguments.index("--partitions")
        verdict = headwater("verify", *arguments[:at], *arguments[at + 2 :])
        if verdict.returncode != 0 or "digests are equal" not in verdict.stdout:
            raise AssertionError(f"verify ended with {verdict.returncode}: {verdict.stdout}{verdict.stderr}")
        return verdict.stdout


CLUSTER = pytest.StashKey[Cluster]()
"""Where the session's is kept, once there is one."""


@pytest.fixture(scope="session")
def cluster(
    kafka_broker: KafkaBroker, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Cluster]:
    """The session's cluster: one projector, an api of two workers. A test that uses it leaves it empty and alive."""
    if getattr(pytestconfig.option, "loadgroup", False):
        # One process has all tests that take it. Where another has some, too, this says so.
        (tmp_path_factory.getbasetemp().parent / "the cluster").mkdir()
    with Cluster(tmp_path_factory.mktemp("cluster"), settings_for(kafka_broker), workers=2, grpc=True) as made:
        pytestconfig.stash[CLUSTER] = made
        yield made.start()

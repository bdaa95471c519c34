"""The supervisor and its worker processes, while there is no Kafka: they wait, die, are started again, and stop."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http import HOST, Http
from tests.support.launching import Launch, launch, new_interpreter
from tests.support.server import HeadwaterProcess, free_port, headwater
from tests.support.waiting import eventually

WORKERS = 2
NOBODY = f"{HOST}:9"
"""Where nothing listens."""


class Api(HeadwaterProcess):
    """An api whose Kafka can't be reached."""

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        environment: dict[str, str] | None = None,
        launch: Launch = launch,
    ) -> None:
        port = port or free_port()
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        kafka = ["--kafka", NOBODY, "--data", str(folder / "data")]
        arguments = ["api", "--port", str(port), "--workers", str(WORKERS), *kafka]
        environment = {"TMPDIR": str(self.temporary), **(environment or {})}
        super().__init__(arguments, port, folder / "output", environment, launch)

    def worker_pids(self) -> list[int]:
        return [pid for pid in self.processes() if pid != self.pid]

    def answers(self, path: str, status: int) -> bool:
        try:
            with Http(self.port, timeout=5.0) as http:
                return http.get(path).status == status
        except OSError:
            return False

    def wait_alive(self) -> None:
        """Wait until every worker could answer."""
        eventually(lambda: self.output.read_bytes().count(b"not ready yet") >= 2 * WORKERS)
        assert self.answers("/livez", 200)


@pytest.fixture
def waiting_api(tmp_path: Path) -> Iterator[Api]:
    with Api(tmp_path) as process:
        process.launch()
        process.wait_alive()
        yield process


def test_it_says_what_it_waits_for(waiting_api: Api) -> None:
    with Http(waiting_api.port) as http:
        ready = http.get("/readyz")
        assert (ready.status, b"Kafka can't be reached" in ready.body) == (503, True)
        for answer in (http.get("/collections"), http.put("/collections/c/points", {"points": []})):
            assert answer.status == 503
            assert answer.headers["retry-after"] == "1"
            assert "Kafka can't be reached" in answer.error
        assert b'path="/readyz"' in http.get("/metrics").body


@pytest.mark.parametrize("how", [launch, new_interpreter])
def test_a_worker_that_dies_is_started_again(how: Launch, tmp_path: Path) -> None:
    with Api(tmp_path, launch=how) as api:
        api.launch()
        api.wait_alive()
        before = api.worker_pids()
        assert len(before) == WORKERS
        for pid in before:
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: len(set(api.worker_pids()) - set(before)) >= 1)
        eventually(lambda: len(set(api.worker_pids()) - set(before)) == WORKERS)
        eventually(lambda: api.answers("/livez", 200))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_with_all_that_it_started(waiting_api: Api, how: signal.Signals) -> None:
    assert waiting_api.stop(how) == 0
    assert not waiting_api.processes()
    assert not list(waiting_api.temporary.iterdir())
    assert b"Traceback" not in waiting_api.output.read_bytes()


def test_workers_end_with_their_supervisor_and_another_takes_its_place(waiting_api: Api, tmp_path: Path) -> None:
    waiting_api.kill()
    with Api(tmp_path, waiting_api.port) as other:
        other.launch()
        eventually(lambda: not waiting_api.processes())
        eventually(lambda: other.answers("/livez", 200))
        assert len(list(waiting_api.temporary.iterdir())) == 1


def test_what_a_user_can_mend(waiting_api: Api, tmp_path: Path) -> None:
    taken = headwater("api", "--port", str(waiting_api.port), "--kafka", NOBODY, "--data", str(tmp_path / "data"))
    assert taken.returncode == 1
    assert f"can't listen on {HOST}:{waiting_api.port}" in taken.stderr
    without = headwater("api", "--data", str(tmp_path / "data"))
    assert without.returncode == 1
    assert "say where Kafka is" in without.stderr


def test_a_worker_that_hangs_is_replaced(tmp_path: Path) -> None:
    with Api(tmp_path, environment={"HEADWATER_WORKER_TIMEOUT": "1"}) as api:
        api.launch()
        api.wait_alive()
        hung = api.worker_pids()[0]
        os.kill(hung, signal.SIGSTOP)
        eventually(lambda: hung not in api.worker_pids() and len(api.worker_pids()) == WORKERS)
        eventually(lambda: b"a worker hangs and is killed" in api.output.read_bytes())
        assert api.stop(signal.SIGTERM) == 0

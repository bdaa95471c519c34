"""``headwater serve --workers 2``: what clients see of it while its processes come, hang and go."""

import os
import random
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.support.http import HOST, Answer, Http
from tests.support.launching import Launch, launch, new_interpreter
from tests.support.server import Server, headwater
from tests.support.waiting import eventually

WORKERS = 2
POINTS = "/collections/c/points"
CONFIG = {"vectors": {"size": 2, "distance": "Dot"}, "shard_number": 2}
WRITES = 60
KILL_EVERY = 20
READS = 4
UNAVAILABLE = 503


class Several(Server):
    """A server of several processes, whose temporary files are its own."""

    def __init__(self, folder: Path, launch: Launch = launch) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        environment = {"TMPDIR": str(self.temporary), "HEADWATER_WORKERS": str(WORKERS)}
        super().__init__(folder / "data", ["--partitions", "2"], environment, launch)

    def worker_pids(self) -> list[int]:
        """The processes that answer requests, where each was started in a new interpreter."""
        return [pid for pid in self.processes() if b"compose.api.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Several]:
    with Several(tmp_path) as server:
        yield server.start()


@pytest.fixture
def as_users_start_it(tmp_path: Path) -> Iterator[Several]:
    with Several(tmp_path, new_interpreter) as server:
        yield server.start()


def upsert(http: Http, *ids: int, params: str = "wait=true") -> Answer:
    return http.put(f"{POINTS}?{params}", {"points": [{"id": i, "vector": [1.0, float(i)]} for i in ids]})


def count(http: Http) -> int:
    found: int = http.post(f"{POINTS}/count", {"exact": True}).result["count"]
    return found


@contextmanager
def one_of_each_worker(server: Server) -> Generator[list[Http]]:
    """A connection to each worker: which one answers is told by when it began to."""
    with ExitStack() as stack:
        found: dict[str, Http] = {}
        while len(found) < WORKERS:
            http = stack.enter_context(Http(server.port))
            found.setdefault(http.get("/telemetry").result["app"]["startup"], http)
        yield list(found.values())


def test_what_is_completed_is_visible_in_each_worker_at_once(several: Several) -> None:
    with one_of_each_worker(several) as workers:
        for number in range(30):
            writer = workers[number % WORKERS]
            assert writer.put(f"/collections/c{number}", CONFIG).result is True
            for reader in workers:
                assert reader.get(f"/collections/c{number}").status == 200
        assert workers[0].put("/collections/c", CONFIG).result is True
        for number in range(200):
            ids = range(3 * number, 3 * number + 3)
            assert upsert(workers[number % WORKERS], *ids).result["status"] == "completed"
            for reader in workers:
                assert [point["id"] for point in reader.post(POINTS, {"ids": [*ids]}).result] == [*ids]
                assert count(reader) == 3 * number + 3
        gone = {"points": [5]}
        assert workers[1].post(f"{POINTS}/delete?wait=true", gone).result["status"] == "completed"
        assert [count(reader) for reader in workers] == [599] * WORKERS
        refused = workers[0].post(f"{POINTS}/payload?wait=true", {"payload": {"a": 1}, "points": [5]})
        assert (refused.status, refused.error) == (404, "Not found: No point with id 5 found")


def test_a_token_of_one_worker_is_good_in_another(several: Several) -> None:
    with one_of_each_worker(several) as workers:
        workers[0].put("/collections/c", CONFIG)
        for number in range(100):
            written = upsert(workers[number % WORKERS], number, params="wait=false")
            token = {"content-type": "application/json", "x-headwater-offsets": written.headers["x-headwater-offsets"]}
            for reader in workers:
                body = b'{"ids": [%d]}' % number
                assert len(reader.send("POST", POINTS, body, token).result) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="finds workers in /proc")
def test_workers_are_killed(as_users_start_it: Several) -> None:
    server, chooser = as_users_start_it, random.Random(7)
    victims: list[int] = []
    with Http(server.port) as http:
        http.put("/collections/c", CONFIG)
    for point in range(WRITES):
        if point % KILL_EVERY == KILL_EVERY - 1:
            victims.append(chooser.choice(server.worker_pids()))
            threading.Timer(0.02 * chooser.random(), os.kill, (victims[-1], signal.SIGKILL)).start()
        while not _completed(server, point):
            pass
        for _ in range(READS):
            assert _has(server, point)
    eventually(lambda: len(set(server.worker_pids()) - set(victims)) == WORKERS)
    with one_of_each_worker(server) as workers:
        assert [count(reader) for reader in workers] == [WRITES] * WORKERS
    assert server.stop() == 0


def _completed(server: Server, point: int) -> bool:
    try:
        with Http(server.port) as http:
            answer = upsert(http, point)
    except (OSError, HTTPException):
        return False  # the worker that answered was killed
    # 503: the last worker that was ready was killed.
    return answer.status != UNAVAILABLE and answer.result["status"] == "completed"


def _has(server: Server, point: int) -> bool:
    while True:
        try:
            with Http(server.port) as http:
                answer = http.post(POINTS, {"ids": [point]})
        except (OSError, HTTPException):
            continue
        if answer.status != UNAVAILABLE:
            return bool(answer.result)


def test_all_ends_with_the_process_that_writes_and_comes_back(several: Several) -> None:
    with Http(several.port) as http:
        http.put("/collections/c", CONFIG)
    for number in range(3):
        with Http(several.port) as http:
            for point in range(10 * number, 10 * number + 10):
                assert upsert(http, point).result["status"] == "completed"
        several.kill()
        eventually(lambda: several.processes() == [])
        several.start()
        with one_of_each_worker(several) as workers:
            assert [count(reader) for reader in workers] == [10 * number + 10] * WORKERS
    assert len(list(several.temporary.iterdir())) == 1  # what the killed ones left behind is gone
    assert several.stop() == 0
    verdict = headwater("verify", "--data", str(several.data))
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_the_process_that_writes_hangs(several: Several) -> None:
    with one_of_each_worker(several) as workers:
        workers[0].put("/collections/c", CONFIG)
        upsert(workers[0], 1)
        os.kill(several.pid, signal.SIGSTOP)
        try:
            for http in workers:
                for params in ("wait=true&timeout=1", "wait=false&timeout=1"):
                    refused = upsert(http, 2, params=params)
                    assert (refused.status, "not known" in refused.error) == (503, True)
                    assert "retry-after" in refused.headers
                assert count(http) == 1
        finally:
            os.kill(several.pid, signal.SIGCONT)
        for number, http in enumerate(workers):
            assert upsert(http, 3 + number).result["status"] == "completed"
        # What nobody was told of was on its way.
        assert [count(http) for http in workers] == [4] * WORKERS


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_with_all_that_it_started(several: Several, how: signal.Signals) -> None:
    with one_of_each_worker(several) as workers:
        workers[0].put("/collections/c", CONFIG)
        for number, http in enumerate(workers):
            assert upsert(http, number, params="wait=false").status == 200
        assert several.stop(how) == 0, several.last_output()
    eventually(lambda: several.processes() == [])
    assert not list(several.temporary.iterdir())
    assert b"Traceback" not in several.output.read_bytes()
    several.start()
    with Http(several.port) as http:
        assert count(http) == 2


def test_metrics_are_those_of_all_processes(as_users_start_it: Several) -> None:
    with one_of_each_worker(as_users_start_it) as workers:
        workers[0].put("/collections/c", CONFIG)
        upsert(workers[0], *range(20))
        for http in workers:
            http.get("/collections")

        def metrics() -> dict[str, str]:
            page = workers[0].get("/metrics").body.decode()
            return dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))

        # What others answered is told within a second.
        answers = 'headwater_http_responses_total{method="GET",path="/collections",status="200"}'
        eventually(lambda: float(metrics().get(answers, "0")) >= WORKERS)
        told = metrics()
        assert float(told[answers]) == WORKERS
        applied = [float(told[f'headwater_applied_offset{{partition="{p}"}}']) for p in range(2)]
        visible = [workers[1].get("/collections/c").result["update_queue"]["length"], sum(applied)]
        assert visible == [0, 2.0]  # a marker and a record on each
        assert not [name for name in told if "kafka" in name or "topic_settings" in name]


def test_processes_are_a_matter_of_each_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    arguments = {"one": ["--workers", "1"], "several": ["--workers", "3"]}
    config = {**CONFIG, "shard_number": 1, "optimizers_config": {"indexing_threshold": 1, "flush_interval_sec": 0}}
    written = 0
    for kind in ("one", "several", "one", "several", "several"):
        with Server(data, arguments[kind]) as server:
            server.start()
            with Http(server.port) as http:
                if not written:
                    http.put("/collections/c", config)
                assert count(http) == written
                upsert(http, *range(written, written + 300))
                written += 300
                assert count(http) == written
                eventually(lambda http=http: http.get("/collections/c").result["status"] == "green")
                found = http.post(f"{POINTS}/query", {"query": [0.0, 1.0], "limit": 2}).result["points"]
                assert [hit["id"] for hit in found] == [written - 1, written - 2]
            assert bool(list(data.rglob("*.feed"))) is (kind == "several")
            assert server.stop() == 0, server.last_output()
    verdict = headwater("verify", "--data", str(data))
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_what_a_user_can_mend(several: Several, tmp_path: Path) -> None:
    taken = headwater("serve", "--workers", "2", "--port", str(several.port), "--data", str(tmp_path / "other"))
    assert (taken.returncode, f"can't listen on {HOST}:{several.port}" in taken.stderr) == (1, True)
    in_use = headwater("serve", "--workers", "2", "--port", "0", "--data", str(several.data))
    assert in_use.returncode == 1
    assert str(several.data) in in_use.stderr.replace("\n", "")
    assert "Traceback" not in in_use.stderr + taken.stderr

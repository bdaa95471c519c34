"""The server process: stopping, restarting, and being alone on its data folder."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http import Http
from tests.support.launching import new_interpreter
from tests.support.server import Server, headwater
from tests.support.waiting import eventually

POINTS = [{"id": i, "vector": [float(i), 1.0], "payload": {"n": i}} for i in range(1, 301)]
QUERY = {"query": [1.0, 0.5], "limit": 300, "with_payload": True, "with_vector": True}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data") as server:
        yield server.start()


@pytest.fixture
def as_users_start_it(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", launch=new_interpreter) as server:
        yield server.start()


def fill(server: Server) -> None:
    alias = {"create_alias": {"collection_name": "kept", "alias_name": "other"}}
    config = {"vectors": {"size": 2, "distance": "Dot"}, "optimizers_config": {"indexing_threshold": 1}}
    with Http(server.port) as http:
        done = [http.put("/collections/kept", config), http.post("/collections/aliases", {"actions": [alias]})]
        for start in range(0, len(POINTS), 50):
            done.append(http.put("/collections/kept/points?wait=true", {"points": POINTS[start : start + 50]}))
        done.append(http.post("/collections/kept/points/delete?wait=true", {"points": [1, 2, 3]}))
        late = {"payload": {"late": True}, "points": [4]}
        done.append(http.post("/collections/kept/points/payload?wait=false", late))
    assert [answer.status for answer in done] == [200] * len(done), done


def answers(server: Server) -> tuple[object, ...]:
    with Http(server.port) as http:
        return (
            http.post("/collections/other/points/query", QUERY).result,
            http.post("/collections/kept/points/count", {"exact": True}).result,
            http.post("/collections/kept/points/scroll", {"limit": 400, "with_vector": True}).result,
            http.get("/aliases").result,
            http.get("/collections/kept").result["config"],
        )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stops_when_asked_and_keeps_everything(as_users_start_it: Server, how: signal.Signals) -> None:
    own = as_users_start_it
    fill(own)
    with Http(own.port) as http:
        path = "/collections/kept/points/4"
        eventually(lambda: "late" in http.get(path).result["payload"])
    before = answers(own)
    assert own.stop(how) == 0, own.last_output()
    eventually(lambda: own.processes() == [])
    own.start()
    assert answers(own) == before


def test_keeps_everything_when_killed(own: Server) -> None:
    fill(own)
    with Http(own.port) as http:
        eventually(lambda: "late" in http.get("/collections/kept/points/4").result["payload"])
    before = answers(own)
    own.kill()
    own.start()
    assert answers(own) == before


def test_stops_while_requests_are_open(own: Server) -> None:
    fill(own)
    with Http(own.port) as idle, Http(own.port) as busy:
        assert idle.get("/readyz").status == 200
        assert busy.post("/collections/kept/points/query", QUERY).status == 200
        assert own.stop() == 0, own.last_output()


def test_refuses_a_folder_that_is_in_use(own: Server, tmp_path: Path) -> None:
    second = headwater("serve", "--port", "0", "--data", str(tmp_path / "data"))
    assert second.returncode != 0
    said = second.stdout + second.stderr
    assert str(tmp_path / "data") in said.replace("\n", "")
    assert "Traceback" not in said
    assert "use" in said or "lock" in said
    assert own.poll() is None
    with Http(own.port) as http:
        assert http.get("/readyz").status == 200


def test_refuses_a_port_that_is_in_use(own: Server, tmp_path: Path) -> None:
    second = headwater("serve", "--port", str(own.port), "--data", str(tmp_path / "another"))
    assert second.returncode != 0
    said = second.stdout + second.stderr
    assert str(own.port) in said
    assert "Traceback" not in said


def test_what_it_started_ends_with_it_when_killed(own: Server) -> None:
    fill(own)
    with Http(own.port) as http:

        def builds() -> bool:
            # What builds segments stays as long as points change.
            http.post("/collections/kept/points/payload?wait=true", {"payload": {"n": 1}, "points": [4]})
            return len(own.processes()) > 1

        eventually(builds)
    own.kill()
    eventually(lambda: own.processes() == [])


def test_verify_finds_nothing_wrong_after_a_stop(own: Server) -> None:
    fill(own)
    assert own.stop() == 0
    verdict = headwater("verify", "--data", str(own.data))
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert "equal" in verdict.stdout

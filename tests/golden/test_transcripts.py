"""Every recorded step is answered as it was, but for those that are listed with a reason."""

import tomllib
from collections.abc import Iterator

import pytest

from tests.golden.differences import FILE, KINDS, known
from tests.golden.replay import Replay
from tests.golden.transcript import CLUSTERED, names, read
from tests.support.http import Http
from tests.support.launching import new_interpreter
from tests.support.server import Server


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("golden") / "data", launch=new_interpreter) as running:
        yield running.start()


@pytest.fixture(scope="module")
def clustered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("golden") / "data", environment=CLUSTERED, launch=new_interpreter) as running:
        yield running.start()


@pytest.mark.parametrize("name", names())
def test_transcript(name: str, request: pytest.FixtureRequest) -> None:
    transcript, listed = read(name), known(name)
    server: Server = request.getfixturevalue("clustered" if transcript.clustered else "alone")
    with Http(server.port) as http:
        replay = Replay(transcript, http, server.url, server.snapshots)
        failures = {step.number: f"{step}\n    {found}" for step, found in replay.failures()}
    unknown = [text for number, text in failures.items() if number not in listed]
    assert not unknown, "\n".join(unknown)
    passing = sorted(listed.keys() - failures.keys())
    assert not passing, f"these pass; take them out of {FILE.name}: {passing}"


def test_what_is_listed_is_well_formed() -> None:
    sections = tomllib.loads(FILE.read_text(encoding="utf-8"))
    assert sections.keys() <= set(names())
    for name, listed in sections.items():
        assert listed.keys() <= set(KINDS)
        assert known(name).keys() <= {step.number for step in read(name).steps}
        assert all(reason.strip() for reason in known(name).values())

"""Every recorded step is answered as it was, but for those that are listed with a reason."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.golden.differences import FILE, KINDS, known, sections, unlisted
from tests.golden.replay import Replay
from tests.golden.transcript import ENVIRONMENTS, names, read
from tests.support.http import Http
from tests.support.launching import new_interpreter
from tests.support.server import Server


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """A server for each environment, started for the first transcript that needs it."""
    with ExitStack() as stack:

        @cache
        def started(name: str) -> Server:
            data = tmp_path_factory.mktemp(name) / "data"
            made = Server(data, environment=ENVIRONMENTS[name], launch=new_interpreter)
            return stack.enter_context(made).start()

        yield started


@pytest.mark.parametrize("name", names())
def test_transcript(name: str, servers: Callable[[str], Server]) -> None:
    transcript, listed = read(name), known(name)
    server = servers(transcript.server)
    with Http(server.port) as http:
        replay = Replay(transcript, http, server.url, server.snapshots, listed)
        failures = {step.number: (step, found) for step, found in replay.failures()}
    unknown = unlisted(name, {number: found for number, (_, found) in failures.items()})
    assert not unknown, "\n".join("{}\n    {}".format(*failures[number]) for number in unknown)
    passing = sorted(listed.keys() - failures.keys())
    assert not passing, f"these pass; take them out of {FILE.name}: {passing}"


def test_what_is_listed_is_well_formed() -> None:
    assert sections().keys() <= set(names())
    for name, listed in sections().items():
        assert listed.keys() <= set(KINDS)
        assert known(name).keys() <= {step.number for step in read(name).steps}
        assert all(reason.strip() for reason in known(name).values())

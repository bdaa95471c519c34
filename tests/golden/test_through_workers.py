"""Every recorded step is answered by a server of several processes as by one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.golden.replay import unknown_differences
from tests.golden.transcript import ENVIRONMENTS, names, server_of
from tests.support.server import Server


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """A server for each environment, started for the first transcript that needs it."""
    with ExitStack() as stack:

        @cache
        def started(name: str) -> Server:
            data = tmp_path_factory.mktemp(name) / "data"
            made = Server(data, ["--workers", "2"], environment=ENVIRONMENTS[name])
            return stack.enter_context(made).start()

        yield started


@pytest.mark.parametrize("name", names())
def test_transcript(name: str, servers: Callable[[str], Server]) -> None:
    assert unknown_differences(name, servers(server_of(name))) == []

"""Qdrant's clients in other languages, unmodified, do what its documentation shows in theirs."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.clients.programs import PROGRAMS, Program
from tests.clients.snippets import REST_SNIPPETS, SNIPPETS
from tests.clients.workshop import RUN_SECONDS, FetchError, built, run
from tests.support.server import Server

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(
        os.environ.get("HEADWATER_CLIENTS") != "1", reason="builds programs for minutes: scripts/test --clients"
    ),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("programs") / "data", grpc=True) as running:
        yield running.start()


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.language for program in PROGRAMS])
def test_the_snippets(program: Program, server: Server) -> None:
    missing = [tool for tool in program.tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{program.language}: not found: {', '.join(missing)}")
    try:
        with built(program) as folder:
            port = server.port if program.rest else server.grpc_port
            written = run([*program.run(folder), str(port)], folder, RUN_SECONDS)
    except FetchError as error:
        pytest.skip(f"{program.language}: dependencies could not be fetched: {error}")
    told = [line.removeprefix("ok ") for line in written.splitlines() if line.startswith("ok ")]
    assert sorted(told) == sorted([*SNIPPETS, *(REST_SNIPPETS if program.rest else ())])

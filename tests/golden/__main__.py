"""Show which steps of transcripts fail on a server that is started for them."""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.golden.differences import as_text, known
from tests.golden.replay import Replay
from tests.golden.transcript import ENVIRONMENTS, Transcript, names, read
from tests.support.http import Http
from tests.support.server import Server


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("names", nargs="*", help="transcripts; all when none is named")
    parser.add_argument("--steps", action="store_true", help="their numbers alone")
    options = parser.parse_args()
    for server, environment in ENVIRONMENTS.items():
        transcripts = [read(name) for name in options.names or names()]
        chosen = [transcript for transcript in transcripts if transcript.server == server]
        if chosen:
            _show(chosen, environment, options.steps)


def _show(transcripts: Sequence[Transcript], environment: Mapping[str, str], steps: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "data", environment=environment) as server:
        server.start()
        for transcript in transcripts:
            with Http(server.port) as http:
                replay = Replay(transcript, http, server.url, server.snapshots, known(transcript.name))
                failures = list(replay.failures())
            print(f"{transcript.name}: {len(transcript.steps) - len(failures)} pass, {len(failures)} fail")
            if steps:
                print(f"  {as_text(step.number for step, _ in failures)}")
                continue
            for step, found in failures:
                print(f"  {step}\n    {found}")


if __name__ == "__main__":
    main()

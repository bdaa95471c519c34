"""The quick start runs as it is written, twice, wherever the server is, and leaves other collections alone."""

import os
import subprocess
import sys
from pathlib import Path

from tests.examples.run import EXAMPLES
from tests.support.http import Http
from tests.support.server import Server


def test_quickstart(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        server.start()
        with Http(server.port) as http:
            for name in ("cities", "notes", "places", "products"):
                made = http.put(f"/collections/{name}", {"vectors": {"size": 2, "distance": "Dot"}})
                assert made.status == 200
            mine = http.get("/collections").result["collections"]
        printed = [quickstart(server) for _ in range(2)]
        assert printed[0].splitlines()[-1] == "4 quickstart-places"
        assert [line for line in printed[0].splitlines() if "offsets" not in line] == [
            line for line in printed[1].splitlines() if "offsets" not in line
        ]
        with Http(server.port) as http:
            found = http.get("/collections").result["collections"]
        assert [c for c in found if c["name"] != "quickstart-cities"] == mine


def quickstart(server: Server) -> str:
    """What the program printed."""
    command = [sys.executable, str(EXAMPLES / "quickstart.py")]
    environment = os.environ | {"URL": f"http://127.0.0.1:{server.port}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
